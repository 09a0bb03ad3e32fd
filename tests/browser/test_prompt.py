"""Browser tests of the prompt box: several lines, Enter and Shift+Enter, input methods, its height."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.browser.app import chips, open_page, settle, visit
from tests.browser.tabs import borrow, leave

LINES = "第一行\n\n  第二行"
BOXES = {
    "": ".st-key-prompt",
    "beam": ".st-key-prompt",
    "attention": ".st-key-prompt",
    "compare": ".st-key-compare_prompt",
    "limits": "[class*=st-key-limits-sequential]",
}


def box_of(page: Page) -> Locator:
    return page.locator(".st-key-prompt textarea")


def text_of(page: Page) -> str:
    """The text of the strip, with its signs of new lines and spaces as these characters."""
    return "".join(chips(page)).replace("↵", "\n").replace("·", " ").replace("␣", " ")


def type_lines(page: Page, text: str) -> None:
    """Type a text of several lines by the keys."""
    first, *others = text.split("\n")
    page.keyboard.type(first)
    for line in others:
        page.keyboard.press("Shift+Enter")
        page.keyboard.type(line)


def test_shift_enter_begins_a_line_and_enter_applies(page: Page) -> None:
    before = chips(page)
    box = box_of(page)
    box.click()
    page.keyboard.press("Control+A")
    type_lines(page, LINES)
    settle(page)
    assert chips(page) == before, "not yet applied"
    page.keyboard.press("Enter")
    settle(page)
    assert box.input_value() == LINES
    assert text_of(page) == LINES
    assert sum("↵" in chip for chip in chips(page)) >= 1, "a new line is seen in the text"
    page.keyboard.press("Enter")
    settle(page)
    assert box.input_value() == LINES, "Enter never adds a line"


def test_lines_that_are_pasted_are_kept(chromium: Browser, address: str) -> None:
    page = borrow(chromium)
    try:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit(page, address)
        page.evaluate("text => navigator.clipboard.writeText(text)", LINES)
        box_of(page).click()
        page.keyboard.press("Control+A")
        page.keyboard.press("Control+V")
        page.keyboard.press("Enter")
        settle(page)
        assert box_of(page).input_value() == LINES and text_of(page) == LINES
    finally:
        leave(page)


def test_lines_of_a_link_are_kept_and_stay_after_a_reload(newcomer: Page, address: str) -> None:
    page = newcomer
    page.goto(f"{address}/?prompt=%E4%B8%80%0A%E4%BA%8C%0A")
    page.wait_for_selector(".loop")
    settle(page)
    for _ in range(2):
        assert box_of(page).input_value() == "一\n二\n" and text_of(page) == "一\n二\n"
        page.reload()
        page.wait_for_selector(".loop")
        settle(page)


def test_enter_of_an_input_method_takes_its_candidate_only(page: Page) -> None:
    before = chips(page)
    box = box_of(page)
    box.fill("今天")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Input.imeSetComposition", {"text": "ㄊㄧㄢ", "selectionStart": 3, "selectionEnd": 3})
    page.keyboard.press("Enter")
    settle(page)
    assert chips(page) == before
    devtools.send("Input.insertText", {"text": "天"})
    # Safari's Enter, after the composition
    devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
    settle(page)
    assert chips(page) == before
    devtools.detach()
    page.keyboard.press("Enter")
    settle(page)
    assert text_of(page) == box.input_value() != ""


@pytest.mark.parametrize("name", BOXES)
def test_every_prompt_holds_several_lines(newcomer: Page, address: str, name: str) -> None:
    page = newcomer
    page.goto(f"{address}/{name}")
    box = page.locator(f"{BOXES[name]} textarea")
    box.wait_for()
    settle(page)
    box.click()
    page.keyboard.press("Control+A")
    type_lines(page, LINES)
    page.keyboard.press("Enter")
    settle(page)
    assert box.input_value() == LINES
    page.keyboard.press("Tab")
    settle(page)
    assert box.input_value() == LINES


@pytest.mark.parametrize(("width", "height"), [(1366, 657), (390, 844)])
def test_one_line_takes_the_room_of_one_line(chromium: Browser, address: str, width: int, height: int) -> None:
    page = open_page(chromium, address, width=width, height=height)
    try:
        box = box_of(page)
        assert box.evaluate("node => node.scrollHeight <= node.clientHeight && node.offsetHeight <= 42")
        rows = page.locator(".bars .row").evaluate_all("all => all.map(row => row.getBoundingClientRect().bottom)")
        assert sum(bottom < height for bottom in rows) >= 3
        low = box.bounding_box()
        box.fill(LINES)
        high = box.bounding_box()
        assert low is not None and high is not None and high["height"] > low["height"] + 30
        assert box.evaluate("node => node.scrollHeight <= node.clientHeight + 1"), "all lines are in sight"
    finally:
        leave(page)
