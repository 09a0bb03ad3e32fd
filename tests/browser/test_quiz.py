"""Browser tests of the quiz: ten rounds with the keyboard only, in both languages; leaving the page and returning."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import follow, settle
from tests.browser.tabs import borrow, leave

GO, BOX = "button.go", "input.box"


def open_quiz(chromium: Browser, address: str, locale: str) -> Page:
    """Page of a new visitor whose first request is the quiz."""
    page = borrow(chromium, locale)
    page.goto(f"{address}/quiz")
    page.wait_for_selector(BOX, timeout=90_000)
    settle(page)
    return page


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(40):
        if page.locator(f"{selector}:focus").count():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {selector}")


@pytest.mark.parametrize(("locale", "typed"), [("zh-TW", "的"), ("en-US", "park")])
def test_ten_rounds_and_another_game_with_the_keyboard_alone(
    chromium: Browser, address: str, locale: str, typed: str
) -> None:
    page = open_quiz(chromium, address, locale)
    first = page.locator(".passage").inner_text()
    tab_to(page, BOX)
    for at in range(10):
        expect(page.locator(f"{BOX}:focus")).to_have_count(1)
        assert page.locator(".rows").count() == 0
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        expect(page.locator(f"{GO}:focus")).to_have_count(1)
        for whose in ("you", "model", "text"):
            assert page.locator(f".rows .mark.{whose}").count() == 1
        guessed = page.locator(".rows tr:has(.mark.you) th.token").inner_text().removeprefix("␣")
        assert guessed and typed.startswith(guessed)
        page.keyboard.press("Enter")
        if at < 9:
            page.wait_for_selector(BOX)
    page.wait_for_selector(".totals")
    expect(page.locator(".rounds tbody tr")).to_have_count(10)
    expect(page.locator(".told:focus")).to_have_count(1)
    page.keyboard.press("Enter")  # does not start a new game
    settle(page)
    page.wait_for_selector("[data-testid=stVegaLiteChart] svg .mark-symbol")
    assert page.locator(".totals tbody tr").count() == 4
    tab_to(page, "button.again")
    page.keyboard.press("Enter")
    expect(page.locator(f"{BOX}:focus")).to_have_count(1)
    assert page.locator(".passage").inner_text() != first
    assert page.get_by_test_id("stException").count() == 0
    leave(page)


def test_choices_by_digit_and_a_half_typed_guess_that_is_kept(chromium: Browser, address: str) -> None:
    page = open_quiz(chromium, address, "zh-TW")
    page.locator(BOX).press("Enter")  # nothing typed
    expect(page.get_by_role("alert").filter(has_text="先打一個字")).to_be_visible()
    expect(page.locator(f"{BOX}:focus")).to_have_count(1)
    page.keyboard.type("打到一半")
    page.wait_for_timeout(700)
    settle(page)
    follow(page, "一步一步生成")
    page.wait_for_selector(".loop")
    follow(page, "猜下一個詞元")
    page.wait_for_selector(BOX)
    assert page.locator(BOX).input_value() == "打到一半"
    page.get_by_role("radio", name="四選一").click()
    page.wait_for_selector(".option")
    settle(page)
    option = page.locator(".option .token").nth(2).inner_text()
    page.locator(".form").focus()
    page.keyboard.press("3")
    page.wait_for_selector(GO)
    assert page.locator(".rows tr:has(.mark.you) th.token").inner_text() == option
    page.keyboard.press("Enter")
    expect(page.locator(".option")).to_have_count(4)
    leave(page)
