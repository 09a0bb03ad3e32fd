"""Browser tests of the uses page: a task is run, stopped, and opened on the step page."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from tests.browser.app import chips, settle
from tests.browser.tabs import borrow, leave


def test_a_task_streams_and_is_opened_step_by_step(newcomer: Page, address: str) -> None:
    page = newcomer
    page.goto(f"{address}/uses")
    page.wait_for_selector(".st-key-uses_run button:enabled")
    page.get_by_test_id("stButtonGroup").get_by_text("翻譯", exact=True).click()
    settle(page)
    page.locator(".st-key-uses_run button").click()
    page.locator(".own .status").wait_for()
    written = page.locator(".own .t").all_inner_texts()
    assert "我喜歡狗。" in "".join(written)
    page.locator(".st-key-uses_take button:enabled").click()
    page.wait_for_selector(".loop")
    settle(page)
    assert chips(page)[-len(written) :] == written


def test_it_stops_and_fits_a_phone(chromium: Browser, address: str) -> None:
    page = borrow(chromium, width=390, height=844, dark=True)
    try:
        page.goto(f"{address}/uses")
        page.wait_for_selector(".st-key-uses_run button:enabled")
        page.get_by_test_id("stButtonGroup").get_by_text("故事", exact=True).click()
        settle(page)
        page.locator(".st-key-uses_run button").click()
        page.locator(".own .t").nth(2).wait_for()
        page.locator(".st-key-uses_stop button:enabled").click()
        page.locator(".own .status").wait_for()
        settle(page)
        assert "停了" in page.locator(".own .status").inner_text()
        assert 0 < page.locator(".own .t").count() < 60
        overflow = page.evaluate(
            "document.querySelector('.stMain').scrollWidth - document.querySelector('.stMain').clientWidth"
        )
        assert overflow <= 0
    finally:
        leave(page)
