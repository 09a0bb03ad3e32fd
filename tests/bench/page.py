"""How quick the pages are in Chromium, as ratios measured in one run beside the bare library.

A click is timed from the mouse button's release to the first change of the chart or the tree (of the line, in the app
that only prints one), inside the browser. The two apps take turns, so that whatever else the machine does meets both.
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
from pages.attention import head_descriptions as inside_told
from pages.attention import head_detail, head_overview
from tests.browser.app import browser, chips, open_page, served, settle

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


Target = str | Callable[[], None]  # a button's name, or what clicks


def click(page: Page, target: Target, watched: str) -> float:
    """Milliseconds from a click to the first change below `watched`."""
    if isinstance(target, str):
        button = page.get_by_role("button", name=target)
        if button.is_disabled():  # the model wrote its end-of-text token
            page.get_by_role("button", name="重新開始").click()
            settle(page)
        target = button.click
    page.locator(watched).first.evaluate(_WATCH)
    target()
    taken = float(page.evaluate("Promise.race([window.__done, new Promise(r => setTimeout(() => r(NaN), 5000))])"))
    settle(page)
    page.wait_for_timeout(150)
    return taken


def alternate(one: tuple[Page, Target, str], other: tuple[Page, Target, str]) -> tuple[float, float]:
    """Median milliseconds of each, taken in turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(CLICKS):
        for page_button_watched, times in zip((one, other), taken, strict=True):
            times.append(click(*page_button_watched))
    return statistics.median(taken[0][3:]), statistics.median(taken[1][3:])


def of_length(opened: Browser, address: str, tokens: int) -> Page:
    """The step page with a text of about so many tokens, after which there is room to go on."""
    page = open_page(opened, address)
    box = page.get_by_role("textbox", name="提示")
    box.fill("今天天氣真" if tokens < 20 else "今天天氣真好，我們一起去公園。" * (tokens // 10))
    box.press("Enter")
    settle(page)
    page.wait_for_timeout(800)
    return page


def lesson(opened: Browser, address: str) -> Page:
    """A lesson on the step page, its sheet open, at a step that is about writing on."""
    return open_page(opened, f"{address}/?lesson=02-loop.1")


def beams(opened: Browser, address: str, levels: int) -> Page:
    """The beam page with so many levels on show and room for many more."""
    context = opened.new_context(locale="zh-TW", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{address}/beam")
    page.wait_for_selector(".pane .node", timeout=90_000)
    page.get_by_text("更多設定").click()
    settle(page)
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="確定不可能更好才停").click()
    most = page.get_by_role("slider", name="最多幾層")
    for _ in range(52):
        most.press("ArrowRight")
    settle(page)
    for _ in range(levels - 1):
        page.get_by_role("button", name="長一層").click()
        settle(page)
    return page


def inside(page: Page) -> tuple[Callable[[], None], Callable[[], None]]:
    """Goes to the looking-inside page; gives what clicks another token of the text, and another map of the overview."""
    page.get_by_role("link", name="看看裡面").click()
    page.wait_for_selector(".chips", timeout=30_000)
    settle(page)
    tokens, across = itertools.cycle((-3, -5)), itertools.cycle((90, 200))
    maps = page.locator("canvas[role=application]")
    return (
        lambda: page.locator(".line .chips button").nth(next(tokens)).click(),
        lambda: maps.click(position={"x": next(across), "y": 60}),
    )


def bytes_sent(length: int) -> int:
    """Bytes of the data behind all heads and the open one, for a text of so many tokens, as JSON."""
    model = engine.load()
    ids = list(range(100, 100 + length))
    attention = model.attention(ids)
    told = [["x" * 40] * attention.shape[1]] * attention.shape[0]
    maps = head_overview.data(head_overview.small(attention), length, told, inside_told.scores(model), (0, 0), 0)
    return len(json.dumps([maps, head_detail.data(attention[0, 0], model.pieces(ids), length - 1, 0)]))


def cold_start(opened: Browser) -> tuple[float, float]:
    """Seconds: from process start to a page that can be used, and to import the libraries and read the weights."""
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
        page.wait_for_selector("[data-testid=stVegaLiteChart] svg .mark-text text", timeout=90_000)
        usable = time.perf_counter() - started
        context.close()
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True, cwd=HERE.parents[1], capture_output=True)
    return usable, time.perf_counter() - started


def run() -> None:
    """Print the ratios."""
    chart = "[data-testid=stVegaLiteChart]"
    with browser() as opened, served() as address, served(HERE / "one_line.py") as line_address:
        line_page = opened.new_page()
        line_page.goto(line_address)
        line_page.wait_for_selector("[data-testid=stText]")
        line = (line_page, "Next", "[data-testid=stText]")
        medians = []
        for tokens in (10, 200):
            page = of_length(opened, address, tokens)
            length = len(chips(page))
            ours, bare = alternate((page, "下一步", chart), line)
            medians.append(ours)
            print(f"click on Next, text of {length} tokens ÷ an app that prints one line:"
                  f" {ours / bare:.2f}  ({ours:.0f} ms, {bare:.0f} ms)")  # fmt: skip
            page.context.close()
        print(f"click on Next, long text ÷ short text: {medians[1] / medians[0]:.2f}")
        page = lesson(opened, address)
        for name, watched in (("bars", chart), ("sheet", ".st-key-coach .root")):
            ours, bare = alternate((page, "下一步", watched), line)
            print(f"click on Next in a lesson, to the {name} ÷ an app that prints one line:"
                  f" {ours / bare:.2f}  ({ours:.0f} ms, {bare:.0f} ms)")  # fmt: skip
        page.context.close()
        for levels in (1, 30):
            page = beams(opened, address, levels)
            ours, bare = alternate((page, "長一層", ".root:has(> .pane)"), line)
            print(f"click on Grow, width 4, from level {levels} on ÷ an app that prints one line:"
                  f" {ours / bare:.2f}  ({ours:.0f} ms, {bare:.0f} ms)")  # fmt: skip
            page.context.close()
        page = of_length(opened, address, 64)
        length = len(chips(page))
        for name, act in zip(("token to see its row", "map to open a head"), inside(page), strict=True):
            ours, bare = alternate((page, act, ".root:has(> .asks)"), line)
            print(f"click on a {name}, text of {length} tokens ÷ an app that prints one line:"
                  f" {ours / bare:.2f}  ({ours:.0f} ms, {bare:.0f} ms)")  # fmt: skip
        page.context.close()
        starts = [cold_start(opened) for _ in range(3)]
    for tokens in (16, 64, 128, 512):
        print(f"sent to the browser for all heads and an open one, {tokens} tokens: {bytes_sent(tokens) / 1000:.0f} kB")
    usable, bare_start = (statistics.median(column) for column in zip(*starts, strict=True))
    print(f"process start to usable page ÷ importing the libraries and reading the weights:"
          f" {usable / bare_start:.2f}  ({usable:.1f} s, {bare_start:.1f} s)")  # fmt: skip
