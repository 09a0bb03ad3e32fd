"""How the app is shown: presentation mode for a projector, and light or dark as chosen on the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.components.theme import palette
from tests.browser.app import chips, overflowing_elements, settle
from tests.browser.tabs import borrow, leave
from tests.browser.test_accessible import violations

SIZES = [(1366, 657), (1920, 1080), (3840, 2160)]
LONG = "prompt=" + "今天天氣真好，我們一起去公園玩。" * 18  # more than 200 tokens
_FONT = "node => parseFloat(getComputedStyle(node).fontSize)"
# Names of elements that are not in the window as a whole, or are covered by another.
_HIDDEN = """() => {
  const stage = document.querySelector(".st-key-stage [data-testid=stBidiComponentIsolated]").shadowRoot;
  const rows = [...stage.querySelectorAll(".bars .row")].filter((row) => row.getClientRects().length);
  const tokens = [...stage.querySelectorAll(".strip .t")];
  return [tokens.at(-1), stage.querySelector("[data-keep=next]"), ...rows].filter((node) => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    const at = stage.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const inside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
    return !inside || !(node.contains(at) || at?.contains(node));
  }).map((node) => node.textContent);
}"""


@pytest.fixture
def presented(page: Page) -> Iterator[Page]:
    """The step page in presentation mode."""
    page.keyboard.press("f")
    expect(page.locator("html.presenting")).to_have_count(1)
    yield page
    page.evaluate("document.fullscreenElement && document.exitFullscreen()")


def rgb(color: str) -> str:
    return f"rgb({', '.join(str(int(color[at : at + 2], 16)) for at in (1, 3, 5))})"


def background(page: Page) -> str:
    color: str = page.locator(".stApp").evaluate("node => getComputedStyle(node).backgroundColor")
    return color


def test_sentence_six_bars_and_next_fill_a_projector(presented: Page, address: str) -> None:
    page, sizes = presented, []
    for query in ("", LONG):
        visit_presented(page, f"{address}/?{query}")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function("width => innerWidth === width", arg=width)
            page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
            rows = page.locator(".bars .row:visible")
            assert rows.count() == 6
            assert page.evaluate(_HIDDEN) == [], (width, query)
            assert overflowing_elements(page) == []
            assert page.evaluate("document.querySelector('.stMain').scrollHeight <= innerHeight")
            fonts = [page.locator(".strip .t").last.evaluate(_FONT), rows.first.locator(".word").evaluate(_FONT)]
            assert fonts[0] >= 48 and fonts[1] >= 28
            sizes.append((width, *fonts))
    for at in (1, 2):
        assert sizes[2][at] > 1.8 * sizes[1][at] >= 1.8 * sizes[0][at], sizes
    assert page.locator(".stMain button:visible").count() == 7 + len(chips(page)) + 1  # bars, tokens, next, leave


def visit_presented(page: Page, url: str) -> None:
    page.goto(url)
    page.locator(".root.presented .bars .row").first.wait_for(timeout=60_000)
    page.wait_for_selector("#splash", state="detached")
    settle(page)


def test_it_is_switched_by_key_and_driven_by_a_clicker(page: Page) -> None:
    field = page.get_by_role("textbox", name="找任何一個詞元")
    field.click()
    page.keyboard.press("f")
    expect(field).to_have_value("f")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("Control+f")
    text = chips(page)
    page.keyboard.press("PageDown")  # scrolls, as it does without presentation mode
    settle(page)
    assert chips(page) == text and page.locator("html.presenting").count() == 0

    page.get_by_role("button", name="投影模式（F）").click()
    expect(page.locator("h1")).to_be_hidden()
    page.keyboard.press("PageDown")
    settle(page)
    assert len(chips(page)) == len(text) + 1
    page.keyboard.press("PageUp")
    settle(page)
    assert page.locator(".strip .beyond").count() == 1
    page.keyboard.press("Escape")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".loop")).to_be_visible()


def test_it_lasts_over_page_changes_and_reloads(newcomer: Page, address: str) -> None:
    page = newcomer
    page.goto(f"{address}/beam")
    page.locator(".st-key-beam_tree .node").first.wait_for()
    settle(page)
    page.keyboard.press("F")
    expect(page.locator("h1, .st-key-settings:visible, .st-key-prompt_row:visible")).to_be_hidden()
    width = page.locator(".st-key-beam_tree").bounding_box()
    assert width is not None and width["width"] > 1150
    page.keyboard.press("PageDown")
    page.locator(".st-key-beam_tree .head").nth(1).wait_for()
    settle(page)
    assert violations(page) == [] and overflowing_elements(page) == []
    visit_presented(page, address)
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert violations(page) == []
    page.get_by_role("button", name="離開投影模式（Esc）").click()
    expect(page.locator("h1")).to_be_visible()


def test_dark_is_chosen_on_the_page_and_remembered(newcomer: Page, address: str) -> None:
    page = newcomer
    page.goto(f"{address}/training")
    page.locator("[data-testid=stVegaLiteChart] svg").first.wait_for()
    settle(page)
    assert background(page) == rgb(palette(False).paper)
    page.get_by_role("button", name="深淺色：跟系統一樣").click()
    page.get_by_role("button", name="深淺色：淺色").click()
    settle(page)
    expect(page.get_by_role("button", name="深淺色：深色")).to_be_visible()
    expect(page.locator(f"[data-testid=stVegaLiteChart] svg [fill='{palette(True).draw}']").first).to_be_visible()
    assert background(page) == rgb(palette(True).paper)
    page.goto(address, wait_until="commit")  # another page
    assert page.locator("#splash").evaluate("node => getComputedStyle(node).color") == rgb(palette(True).ink)
    page.locator(".st-key-stage .root.dark .loop").wait_for(timeout=60_000)
    settle(page)
    assert background(page) == rgb(palette(True).paper)
    page.get_by_role("button", name="深淺色：深色").click()
    settle(page)
    page.emulate_media(color_scheme="light")
    settle(page)
    assert background(page) == rgb(palette(False).paper)


def test_a_link_that_demands_dark_is_dark_from_the_splash_on(chromium: Browser, address: str) -> None:
    page = borrow(chromium)
    page.goto(f"{address}/?embed_options=dark_theme", wait_until="commit")
    assert page.locator("#splash").evaluate("node => getComputedStyle(node).color") == rgb(palette(True).ink)
    page.wait_for_selector(".loop", timeout=60_000)
    settle(page)
    assert background(page) == rgb(palette(True).paper)
    assert page.locator(".st-key-display button").count() == 1, "no choice where a link has made it"
    leave(page)
