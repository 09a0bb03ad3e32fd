"""Browser tests of widths between phone and desktop: no page overflows, and columns stay wide enough."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.app import follow, links, open_page, overflowing_elements, settle
from tests.browser.tabs import borrow, leave

WIDTHS = (700, 900)
_NARROW = "all => all.filter(c => c.clientWidth < Math.min(280, c.parentElement.clientWidth - 1)).map(c => c.innerText)"


@pytest.fixture(scope="module")
def misfits(chromium: Browser, address: str) -> dict[int, list[tuple[str, list[str], list[str]]]]:
    """By width: page, elements that exceed it, columns that are too narrow; of every page, opened once."""
    page = open_page(chromium, address, locale="en-GB")
    found: dict[int, list[tuple[str, list[str], list[str]]]] = {width: [] for width in WIDTHS}
    for name in links(page):
        page.set_viewport_size({"width": 1280, "height": 900})
        follow(page, name)
        page.wait_for_selector(".stMain h1")
        settle(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            settle(page)
            narrow = page.locator(".stMain .stColumn").evaluate_all(_NARROW)
            found[width].append((name, overflowing_elements(page), narrow))
    leave(page)
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_a_window_of_middling_width(
    misfits: dict[int, list[tuple[str, list[str], list[str]]]], width: int
) -> None:
    assert len(misfits[width]) > 8
    assert [misfit for misfit in misfits[width] if misfit[1] or misfit[2]] == []


def test_texts_wrap_into_lines_in_a_narrow_window(chromium: Browser, address: str) -> None:
    page = borrow(chromium, width=900)
    try:
        page.goto(f"{address}/compare")
        page.get_by_role("button", name="開始比").click()
        page.locator(".st-key-compare_stop button:disabled").wait_for(timeout=60_000)
        settle(page)
        tops = page.locator(".text .chips").first.locator(".t").evaluate_all("all => all.map(chip => chip.offsetTop)")
        assert len(tops) > 10
        assert len(set(tops)) < len(tops) / 3, "there should be several tokens per line"
    finally:
        leave(page)


@pytest.mark.parametrize("language", ["en", "zh_Hant"])
def test_the_bar_is_one_row_beside_a_lesson(chromium: Browser, address: str, language: str) -> None:
    page = open_page(chromium, f"{address}/?lesson=07-filters.1&lang={language}")
    try:
        for width in (1280, 1261, 1101, 820, 801, 800, 641, 390):
            page.set_viewport_size({"width": width, "height": 900})
            middles = page.locator(".st-key-bar > *").evaluate_all(
                """parts => parts.filter(part => part.checkVisibility()).map(part => {
                  const { top, bottom } = part.getBoundingClientRect();
                  return (top + bottom) / 2;
                })"""
            )
            assert len(middles) >= 4
            assert max(middles) - min(middles) < 10, width
    finally:
        leave(page)


def test_a_phone_is_shown_no_keys_and_a_row_that_goes_on_fades(chromium: Browser, address: str) -> None:
    context = chromium.new_context(
        locale="zh-TW", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    try:
        page = context.new_page()
        for name in ("beam", "compare", "limits", "uses"):
            page.goto(f"{address}/{name}")
            page.locator(".stApp button kbd").first.wait_for(state="attached", timeout=30_000)
            settle(page)
            assert page.locator(".stApp button kbd").evaluate_all("keys => keys.every(key => !key.offsetWidth)"), name
            for row in page.locator(".st-key-settings, .st-key-examples").all():
                if row.evaluate("row => row.scrollWidth > row.clientWidth + 1"):
                    assert "gradient" in row.evaluate("row => getComputedStyle(row).maskImage"), name
                    row.evaluate("row => row.scrollTo(9999, 0)")
                    gap = (
                        "row => row.getBoundingClientRect().right - row.lastElementChild.getBoundingClientRect().right"
                    )
                    assert row.evaluate(gap) >= 30, "the last control is not faded"
    finally:
        context.close()
