"""Benchmark of the pages in Chromium: time of a click, data sent for attention, and time to start.

Times are ratios to a baseline measured in the same run: a minimal Streamlit app (`one_line.py`) for clicks, importing
the libraries and loading the weights for the start. A click is timed inside the browser, from the release of the mouse
button to the first change of the text, the bars or the tree (of the line of text, in the minimal app). The two apps
alternate, so that other load on the machine affects both.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page

import engine
from pages.attention import head_descriptions, head_detail, head_overview
from tests.browser.app import browser, chips, follow, served, settle, visit
from tests.browser.tabs import new_page

HERE = Path(__file__).parent
CLICKS = 25
_WATCH = """place => {
  window.__done = new Promise(resolve => {
    addEventListener("pointerup", () => {
      const released = performance.now();
      const watch = new MutationObserver(() => {
        watch.disconnect();
        resolve(performance.now() - released);
      });
      watch.observe(place, { subtree: true, childList: true, attributes: true, characterData: true });
    }, { once: true, capture: true });
  });
}"""


Target = str | Callable[[], None]  # the name of a button, or a function that performs the click


def click(page: Page, target: Target, watched: str) -> float:
    """Milliseconds from a click to the first change within the element `watched`."""
    if isinstance(target, str):
        button = page.get_by_role("button", name=target)
        if button.is_disabled():  # the model has generated its end-of-text token
            page.get_by_role("button", name="重新開始").click()
            settle(page)
        target = button.click
    page.locator(watched).first.evaluate(_WATCH)
    target()
    duration = float(page.evaluate("Promise.race([window.__done, new Promise(r => setTimeout(() => r(NaN), 5000))])"))
    settle(page)
    page.wait_for_timeout(150)
    return duration


def alternate(first: tuple[Page, Target, str], second: tuple[Page, Target, str]) -> tuple[float, float]:
    """Median milliseconds of each of two clicks, performed alternately; the first three rounds are not counted."""
    durations: tuple[list[float], list[float]] = ([], [])
    for _ in range(CLICKS):
        for page_button_watched, times in zip((first, second), durations, strict=True):
            times.append(click(*page_button_watched))
    return statistics.median(durations[0][3:]), statistics.median(durations[1][3:])


def step_page(opened: Browser, address: str, tokens: int) -> Page:
    """The step page with a text of about `tokens` tokens, well below the context length."""
    page = new_page(opened)
    visit(page, address)
    box = page.get_by_role("textbox", name="提示")
    box.fill("今天天氣真" if tokens < 20 else "今天天氣真好，我們一起去公園。" * (tokens // 10))
    box.press("Enter")
    settle(page)
    page.wait_for_timeout(800)
    return page


def lesson_page(opened: Browser, address: str) -> Page:
    """The step page with a lesson's sheet open, at a step about generating tokens."""
    page = new_page(opened)
    visit(page, f"{address}/?lesson=02-loop.1")
    return page


def beam_page(opened: Browser, address: str, levels: int) -> Page:
    """The beam page with `levels` levels shown and a search that can grow by many more."""
    context = opened.new_context(locale="zh-TW", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{address}/beam")
    page.wait_for_selector(".pane .node", timeout=90_000)
    page.get_by_text("更多設定").click()
    settle(page)
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="確定不可能更好才停").click()
    max_levels = page.get_by_role("slider", name="最多幾層")
    for _ in range(52):
        max_levels.press("ArrowRight")
    settle(page)
    for _ in range(levels - 1):
        page.get_by_role("button", name="長一層").click()
        settle(page)
    return page


def attention_page(page: Page) -> tuple[Callable[[], None], Callable[[], None]]:
    """Open the attention page. Returns functions that click another token, and another map of the overview."""
    follow(page, "看看裡面")
    page.wait_for_selector(".chips", timeout=30_000)
    settle(page)
    tokens, xs = itertools.cycle((-3, -5)), itertools.cycle((90, 200))
    maps = page.locator("canvas[role=application]")
    return (
        lambda: page.locator(".line .chips button").nth(next(tokens)).click(),
        lambda: maps.click(position={"x": next(xs), "y": 60}),
    )


def bytes_sent(length: int) -> int:
    """Size in bytes of the JSON data of all heads and of the opened head, for a text of `length` tokens."""
    model = engine.load()
    ids = list(range(100, 100 + length))
    attention = model.attention(ids)
    sentences = [["x" * 40] * attention.shape[1]] * attention.shape[0]
    scores = head_descriptions.scores(model)
    maps = head_overview.data(head_overview.downsample(attention), length, sentences, scores, (0, 0), 0)
    return len(json.dumps([maps, head_detail.data(attention[0, 0], model.pieces(ids), length - 1, 0)]))


def cold_start(opened: Browser) -> tuple[float, float]:
    """Seconds from process start to a usable page, and seconds to import the libraries and load the weights."""
    script = (
        "import streamlit, torch, transformers;"
        "from transformers import AutoModelForCausalLM as A, AutoTokenizer as T;"
        "A.from_pretrained('engine/bundled'); T.from_pretrained('engine/bundled')"
    )
    started = time.perf_counter()
    with served() as address:
        context = opened.new_context(locale="zh-TW")
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(".bars .row", timeout=90_000)
        usable = time.perf_counter() - started
        context.close()
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True, cwd=HERE.parents[1], capture_output=True)
    return usable, time.perf_counter() - started


def run() -> None:
    """Print the ratios."""
    with browser() as opened, served() as address, served(HERE / "one_line.py") as line_address:
        line_page = opened.new_page()
        line_page.goto(line_address)
        line_page.wait_for_selector("[data-testid=stText]")
        line = (line_page, "Next", "[data-testid=stText]")
        medians = []
        for tokens in (3, 200):
            page = step_page(opened, address, tokens)
            length = len(chips(page))
            for name, watched in (("text", ".text"), ("bars", ".bars")):
                ours, baseline = alternate((page, "下一步", watched), line)
                print(f"click on Next, to the {name}, text of {length} tokens ÷ an app that prints one line:"
                      f" {ours / baseline:.2f}  ({ours:.0f} ms, {baseline:.0f} ms)")  # fmt: skip
            medians.append(ours)
            page.context.close()
        print(f"click on Next, long text ÷ short text: {medians[1] / medians[0]:.2f}")
        page = lesson_page(opened, address)
        for name, watched in (("bars", ".bars"), ("sheet", ".st-key-coach .root")):
            ours, baseline = alternate((page, "下一步", watched), line)
            print(f"click on Next in a lesson, to the {name} ÷ an app that prints one line:"
                  f" {ours / baseline:.2f}  ({ours:.0f} ms, {baseline:.0f} ms)")  # fmt: skip
        page.context.close()
        for levels in (1, 30):
            page = beam_page(opened, address, levels)
            ours, baseline = alternate((page, "長一層", ".root:has(> .pane)"), line)
            print(f"click on Grow, width 4, from level {levels} on ÷ an app that prints one line:"
                  f" {ours / baseline:.2f}  ({ours:.0f} ms, {baseline:.0f} ms)")  # fmt: skip
            page.context.close()
        page = step_page(opened, address, 64)
        length = len(chips(page))
        for name, act in zip(("token to see its row", "map to open a head"), attention_page(page), strict=True):
            ours, baseline = alternate((page, act, ".root:has(> .asks)"), line)
            print(f"click on a {name}, text of {length} tokens ÷ an app that prints one line:"
                  f" {ours / baseline:.2f}  ({ours:.0f} ms, {baseline:.0f} ms)")  # fmt: skip
        page.context.close()
        starts = [cold_start(opened) for _ in range(3)]
    for tokens in (16, 64, 128, 512):
        print(f"sent to the browser for all heads and an open one, {tokens} tokens: {bytes_sent(tokens) / 1000:.0f} kB")
    usable, load_seconds = (statistics.median(column) for column in zip(*starts, strict=True))
    print(f"process start to usable page ÷ importing the libraries and loading the weights:"
          f" {usable / load_seconds:.2f}  ({usable:.1f} s, {load_seconds:.1f} s)")  # fmt: skip
