"""Browser tests of the limits page: each experiment runs, one is stopped, a branch is opened on the step page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import chips, overflowing_elements, settle
from tests.browser.tabs import borrow, leave

READY = ".st-key-limits_start button:enabled"


@pytest.fixture
def limits(newcomer: Page, address: str) -> Page:
    newcomer.goto(f"{address}/limits")
    newcomer.wait_for_selector(READY)
    settle(newcomer)
    return newcomer


def show(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    settle(page)


def start(page: Page, sentence: str) -> None:
    """Run the experiment until `sentence` is displayed and the run has ended."""
    page.locator(".st-key-limits_start button").click()
    page.locator(".stMain").get_by_text(sentence).first.wait_for(timeout=60_000)
    page.locator(READY).wait_for(timeout=60_000)
    settle(page)


def test_time_is_measured_and_can_be_stopped(limits: Page) -> None:
    limits.locator(".st-key-limits_start button").click()
    limits.locator(".st-key-limits_stop button:enabled").wait_for()
    limits.locator(".st-key-limits_stop button").click()
    limits.locator(READY).wait_for()
    settle(limits)
    assert "停了。下面是停之前的結果" in limits.locator(".stMain").inner_text()
    start(limits, "算出來的東西是一樣的")
    main = limits.locator(".stMain").inner_text()
    assert "一次算完要" in main and "你按了停" not in main
    assert limits.locator("[data-testid=stVegaLiteChart] svg .mark-line path").count() == 3


def test_a_forced_token_bends_the_text_and_both_ways_go_along(limits: Page) -> None:
    show(limits, "錯誤累積")
    start(limits, "兩條路從")
    rows = limits.locator(".row.text")
    assert rows.count() == 2
    written = [row.locator(".t").all_inner_texts() for row in rows.all()]
    assert written[0] != written[1]
    rows.nth(1).locator(".take").click()
    limits.wait_for_selector(".loop")
    settle(limits)
    assert chips(limits)[-len(written[1]) :] == written[1]
    assert limits.locator(".branch").count() >= 1


def test_a_gap_is_filled_and_endings_are_compared(limits: Page) -> None:
    show(limits, "只看左邊")
    start(limits, "只看左邊，最好的是「好」")
    assert limits.locator(".row.text").count() == 4
    show(limits, "曝光偏差")
    start(limits, "接在真的中段後面平均每個詞元")
    assert limits.get_by_test_id("stException").count() == 0


def test_a_phone_shows_it_without_scrolling_sideways(chromium: Browser, address: str) -> None:
    page = borrow(chromium, width=390, height=844, dark=True)
    try:
        page.goto(f"{address}/limits")
        page.wait_for_selector(READY)
        show(page, "錯誤累積")
        start(page, "兩條路從")
        assert overflowing_elements(page) == []
    finally:
        leave(page)
