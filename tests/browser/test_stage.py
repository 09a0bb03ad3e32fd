"""Browser tests of the stage: text and bars always belong together, no move is lost, nothing jumps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from engine.serving import model_registry
from tests.browser.app import chips, open_page, settle, visit, words
from tests.browser.tabs import borrow, leave

_RECORD = """() => {
  const stage = document.querySelector(".st-key-stage [data-testid=stBidiComponentIsolated]").shadowRoot;
  const texts = (selector) => [...stage.querySelectorAll(selector)].map((node) => node.textContent);
  window.frames_seen = [];
  const record = () => {
    window.frames_seen.push([texts(".strip .t"), texts(".bars button.row .word"), texts(".ruler .told")]);
    if (window.frames_seen.length < 2000) requestAnimationFrame(record);
  };
  requestAnimationFrame(record);
}"""

_LONG = "prompt=從前有一隻"  # the model goes on for more tokens than a test writes


@contextmanager
def slow_processor(page: Page, rate: int) -> Iterator[None]:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    try:
        yield
    finally:
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        devtools.detach()


def wait_for_length(page: Page, count: int) -> None:
    expect(page.locator(".strip .t")).to_have_count(count, timeout=60_000)
    settle(page)


def test_text_and_bars_are_of_one_step_in_every_frame_of_a_run(chromium: Browser, address: str) -> None:
    page = borrow(chromium, motion=True)
    visit(page, f"{address}/?tokens=40")
    try:
        before = chips(page)
        page.evaluate(_RECORD)
        while page.evaluate("window.frames_seen.length") < 200:
            if page.locator("[data-keep=run]:disabled").count():
                page.locator("[data-keep=restart]").click()
            page.locator("[data-kind=run]").click()
            page.locator("[data-kind=stop]").wait_for()
            page.locator("[data-kind=run]").wait_for(timeout=30_000)
        frames = page.evaluate("window.frames_seen")
        model = model_registry.request().result()
        ids = model.encode("今天天氣真")
        shown: dict[str, list[str]] = {}
        lengths = set()
        for text, bars, _ in frames:
            assert text[: len(before)] == before
            first = shown.setdefault("".join(text), bars)
            assert bars == first, f"two distributions after {text}"
            lengths.add(len(text))
        assert len(frames) >= 200 and len(lengths) > 10
        top = [c.text for c in model.distribution(ids).top(10)]
        assert shown["".join(before)][:10] == top
        texts = sorted(shown, key=len)
        for text, longer in pairwise(texts):
            word = longer.removeprefix(text)
            assert any(word == bar or bar in word for bar in shown[text]), f"{word} was not among the bars of {text}"
    finally:
        leave(page)


def test_twenty_clicks_in_two_seconds_on_a_slow_machine_are_twenty_tokens(newcomer: Page, address: str) -> None:
    page = newcomer
    visit(page, f"{address}/?{_LONG}")
    before = len(chips(page))
    with slow_processor(page, 4):
        button = page.locator("[data-keep=next]").bounding_box()
        assert button is not None
        for _ in range(20):
            page.mouse.click(button["x"] + 20, button["y"] + 15)
            page.wait_for_timeout(100)
        wait_for_length(page, before + 20)


def test_a_held_arrow_key_on_a_slow_machine_loses_no_step(newcomer: Page, address: str) -> None:
    page = newcomer
    visit(page, f"{address}/?{_LONG}")
    before = len(chips(page))
    with slow_processor(page, 4):
        for _ in range(25):
            page.keyboard.down("ArrowRight")  # repeated, as while it is held
            page.wait_for_timeout(40)
        page.keyboard.up("ArrowRight")
        wait_for_length(page, before + 25)


def place_at_rest(row: Locator) -> float:
    """Vertical position of a bar once its motion is over, in pixels of the window."""
    top: float = row.evaluate("""row => {
        for (const motion of row.getAnimations()) motion.finish();
        return row.getBoundingClientRect().top;
    }""")
    return top


def test_bars_stay_under_the_pointer_however_long_the_text_gets(page: Page) -> None:
    first = page.locator(".bars .row").first
    box = first.bounding_box()
    assert box is not None
    at = place_at_rest(first)
    before = len(chips(page))
    for _ in range(30):
        page.mouse.click(box["x"] + 200, box["y"] + 15)
        settle(page)
        if page.locator("[data-keep=next]:disabled").count():
            break
        assert abs(place_at_rest(first) - at) < 1
    assert len(chips(page)) > before + 10
    rows = {place["y"] for chip in page.locator(".strip .t").all() if (place := chip.bounding_box())}
    assert len(rows) > 1, "the text has several lines"
    page.locator("[data-keep=back]").click()
    settle(page)
    page.locator("[data-keep=run]").click()
    page.locator(".status:not(:empty)").wait_for(timeout=30_000)
    assert abs(place_at_rest(first) - at) < 1, "nor does the sentence about the end move them"


def test_exact_numbers_close_when_the_bars_change(page: Page) -> None:
    row = page.locator(".bars .row").nth(1)
    row.hover()
    page.locator(".details").wait_for()
    assert re.search(r"\d\.\d{4,6}%", page.locator(".details").inner_text())
    row.click()
    settle(page)
    page.wait_for_timeout(300)
    assert page.locator(".details").count() == 0


def test_the_row_of_all_others_says_what_it_is_and_is_no_button(page: Page) -> None:
    others = page.locator(".bars .others")
    assert re.fullmatch(r"其餘 [\d,]+ 個詞元", others.locator(".word").inner_text())
    assert others.evaluate("node => node.tagName") == "DIV"
    assert others.evaluate("node => getComputedStyle(node).cursor") in ("auto", "default")
    before = chips(page)
    others.click()
    settle(page)
    assert chips(page) == before


@pytest.mark.parametrize("change", ["temperature", "greedy", "seed", "language"])
def test_a_change_during_a_run_draws_nothing_twice(chromium: Browser, address: str, change: str) -> None:
    page = open_page(chromium, f"{address}/?tokens=100")
    try:
        page.locator("[data-keep=run]").click()
        page.locator(".strip .t").nth(4).wait_for()
        height = page.locator(".stMain").evaluate("node => node.scrollHeight")
        if change == "temperature":
            page.locator(".st-key-temperature input[type=range]").press("ArrowRight")
        elif change == "seed":
            page.locator(".st-key-new_seed button").click()
        else:
            page.get_by_text("貪婪搜尋" if change == "greedy" else "English", exact=True).click()
        for _ in range(15):
            assert page.locator(".st-key-stage").count() == 1
            assert page.locator("[data-testid=stTextInput], [data-testid=stTextArea]").count() == 2
            assert page.locator(".stMain").evaluate("node => node.scrollHeight") < 1.2 * height
            page.wait_for_timeout(50)
        count = len(chips(page))
        page.wait_for_timeout(500)
        assert len(chips(page)) > count or page.locator(".status:not(:empty)").count(), "the run goes on"
    finally:
        leave(page)


def test_a_bar_s_length_is_its_probability_of_the_whole_axis(page: Page) -> None:
    for _ in range(3):
        settle(page)
        page.wait_for_timeout(300)
        rows = page.locator(".bars .row.draw, .bars .row.pick").all()
        widths = [row.locator(".bar").evaluate("n => n.offsetWidth / n.parentElement.offsetWidth") for row in rows]
        model = model_registry.request().result()
        written = [row.locator(".value").inner_text() for row in rows]
        for width, text in zip(widths, written, strict=True):
            if "<" in text:
                continue
            percent = float(re.findall(r"[\d.]+(?=%)", text)[-1])
            assert width * 100 == pytest.approx(percent, abs=0.6)
        assert model and words(page)
        page.locator("[data-keep=next]").click()


@pytest.mark.parametrize("width", [1280, 390])
def test_bars_begin_at_the_axis_and_no_text_of_a_row_is_cut(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for _ in range(4):
        page.locator("[data-keep=next]").click()
        settle(page)
        page.wait_for_timeout(300)
        axis = page.locator(".bars .grid").bounding_box()
        track = page.locator(".row .track").first.bounding_box()
        assert axis is not None and track is not None
        assert abs(axis["x"] - track["x"]) < 1 and abs(axis["width"] - track["width"]) < 1
        texts = page.locator(".row > .value, .row.others > .word").all()
        assert [text.inner_text() for text in texts if text.evaluate("n => n.scrollWidth > n.clientWidth")] == []


NUMBERS = [f"{number}% → 0.022% ▶" for number in ("0.097", "<\u00a00.01", "99.99")]


VIEWS = [(1280, "all"), (390, "all"), (1280, "simple"), (390, "simple"), (1366, "F")]


@pytest.mark.parametrize(("width", "mode"), VIEWS)
def test_the_longest_numbers_fit_beside_the_bars(chromium: Browser, address: str, width: int, mode: str) -> None:
    page = open_page(chromium, f"{address}/?prompt=今天天氣真" + ("" if mode == "simple" else "&T=1.9"))
    try:
        page.set_viewport_size({"width": width, "height": 657})
        if mode == "simple":
            page.get_by_role("button", name="只看句子和長條").click()
            settle(page)
        elif mode == "F":
            page.keyboard.press("f")
            page.locator(".root.presented .row").first.wait_for()
        value = page.locator(".row.pick > .value")
        for text in ["99.99% ▶"] if mode == "simple" else NUMBERS:
            value.evaluate("(node, text) => { node.textContent = text; }", text)
            assert value.evaluate("node => node.scrollWidth <= node.clientWidth"), text
    finally:
        leave(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_end_of_a_long_text_is_in_sight_with_and_without_arcs(newcomer: Page, address: str, width: int) -> None:
    page = newcomer
    page.set_viewport_size({"width": width, "height": 844})
    visit(page, f"{address}/?prompt={'今天天氣真好，我們一起去公園玩。' * 14}&seed=3")
    strip, last = page.locator(".strip"), page.locator(".strip [aria-current]")
    for press in ("", "它在看哪裡", "下一步"):
        if press:
            page.get_by_role("button", name=press).click()
            settle(page)
        outer, inner = strip.bounding_box(), last.bounding_box()
        assert outer is not None and inner is not None
        assert outer["y"] <= inner["y"] and inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1, press
        assert strip.evaluate("node => node.matches('.continued')"), "a faded edge says that there is more above"
    page.get_by_role("button", name="它在看哪裡").click()


def test_a_restart_can_be_undone(page: Page) -> None:
    page.locator("[data-keep=next]").click()
    settle(page)
    written = chips(page)
    page.get_by_role("button", name="重新開始").dblclick()
    settle(page)
    assert len(chips(page)) < len(written)
    page.get_by_role("button", name="復原").click()
    settle(page)
    assert chips(page) == written and page.get_by_role("button", name="重新開始").count() == 1


def test_buttons_change_their_language_with_their_keys(page: Page) -> None:
    run = page.locator("[data-keep=run]")
    expect(run).to_contain_text("空白鍵")
    page.get_by_text("English", exact=True).click()
    settle(page)
    expect(run).to_contain_text("Space")
    page.get_by_text("中文", exact=True).click()
    settle(page)


def test_no_card_opens_below_a_pointer_that_rests(page: Page) -> None:
    token = page.locator(".strip .t").first
    token.hover()
    page.locator(".card").wait_for()
    box = token.bounding_box()
    assert box is not None
    page.mouse.move(5, 5)
    expect(page.locator(".card")).to_have_count(0)
    page.evaluate("document.querySelector('.stMain').style.paddingTop = '200px'")
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.wait_for_timeout(400)
    page.evaluate("document.querySelector('.stMain').style.paddingTop = ''")
    page.wait_for_timeout(900)
    assert page.locator(".card").count() == 0
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.locator(".card").wait_for()


def test_arcs_show_the_attention_on_demand(page: Page) -> None:
    button = page.get_by_role("button", name="它在看哪裡")
    assert page.locator(".arcs").count() == 0
    button.click()
    page.locator(".arcs path").first.wait_for()
    arcs = page.locator(".arcs path").count()
    said = page.locator(".looks").inner_text()
    page.locator("[data-keep=next]").click()
    settle(page)
    assert page.locator(".arcs path").count() >= 1 and page.locator(".looks").inner_text() != said and arcs > 1
    box, strip = page.locator(".arcs").bounding_box(), page.locator(".strip").bounding_box()
    assert box is not None and strip is not None and box["y"] >= strip["y"] - 1
    button.click()
    assert page.locator(".arcs").count() == 0 and not page.locator(".looks").inner_text()
