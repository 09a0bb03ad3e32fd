"""Browser tests by keyboard alone (no mouse, no script that sets the focus), of tables beside charts, of motion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import chips, open_page, settle, words
from tests.browser.tabs import leave

_FOCUSED = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return {
    name: node?.getAttribute("aria-label") ?? node?.textContent ?? "",
    kind: node?.getAttribute("class") ?? "",
    tag: node?.localName ?? "",
    seen: node?.matches(":focus-visible") ?? false,
  };
}"""
Condition = Callable[[dict[str, Any]], bool]  # of the focused element


def focused(page: Page) -> dict[str, Any]:
    """The focused element, also inside the components' shadow roots."""
    element: dict[str, Any] = page.evaluate(_FOCUSED)
    return element


def tab_to(page: Page, condition: Condition, limit: int = 90) -> dict[str, Any]:
    """Press Tab until the focused element meets the condition, and check that its focus is visible."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        element = focused(page)
        if condition(element):
            assert element["seen"], element
            return element
    raise AssertionError("it cannot be reached by Tab")


def named(name: str) -> Condition:
    return lambda element: str(element["name"]).startswith(name)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    settle(page)


def follow_link(page: Page, link: str, selector: str) -> None:
    """Open the page of a link in the lab's menu and wait for a selector there."""
    tab_to(page, named("實驗室"))
    press(page, "Enter")
    tab_to(page, lambda element: element["tag"] == "a" and element["name"] == link)
    press(page, "Enter")
    page.wait_for_selector(selector, timeout=30_000)
    settle(page)


def test_a_text_is_written_by_keys(page: Page) -> None:
    text = chips(page)
    tab_to(page, named("下一步"))
    press(page, "Enter")
    assert len(chips(page)) == len(text) + 1

    # The text is one tab stop; in it the arrow keys move the focus instead of stepping the model.
    tab_to(page, lambda element: " t " in f" {element['kind']} ")
    text = chips(page)
    assert focused(page)["name"] == text[-1]
    press(page, "ArrowLeft", "ArrowLeft", "ArrowRight")
    assert focused(page)["name"] == text[-2]
    assert chips(page) == text

    # Move the cursor back to the token, which stays focused.
    press(page, "Enter")
    assert page.locator(".strip .beyond").all_inner_texts() == text[-1:]
    assert focused(page)["name"] == text[-2]

    # Close the card of alternatives with Escape; open it again and take one.
    press(page, "ArrowDown", "Escape")
    assert page.locator(".card").count() == 0
    assert focused(page)["name"] == text[-2]
    press(page, "ArrowDown", "ArrowDown")
    other = page.locator(".card .other").nth(1).locator(".word").inner_text()
    press(page, "Enter")
    assert chips(page) == [*text[:-2], other]


def test_any_candidate_is_taken_by_keys(page: Page) -> None:
    text = chips(page)
    word = words(page)[2]
    tab_to(page, lambda element: " row " in f" {element['kind']} ")
    assert focused(page)["name"].startswith(words(page)[0])
    press(page, "ArrowDown", "ArrowDown", "ArrowUp", "ArrowDown", "Enter")
    assert chips(page) == [*text, word]
    assert focused(page)["name"].startswith(words(page)[2]), "the third row stays focused"

    tab_to(page, lambda element: element["tag"] == "input" and element["name"] == "找任何一個詞元")
    page.keyboard.type("雨")
    page.locator(".st-key-found button").first.wait_for()
    settle(page)
    tab_to(page, named("雨"), 5)
    press(page, "Enter")
    assert chips(page) == [*text, word, "雨"]


def test_a_head_a_row_and_a_cell_are_opened_by_keys(page: Page) -> None:
    follow_link(page, "看看裡面", ".pane canvas")
    tab_to(page, lambda element: element["tag"] == "canvas")
    press(page, "ArrowDown", "ArrowRight")
    assert "第 2 層第 2 個頭" in focused(page)["name"]
    tokens = page.locator(".line .chips button").all_inner_texts()
    tab_to(page, named(tokens[-1]))
    press(page, "ArrowLeft", "Enter")
    assert page.locator(".line .chips button.at").all_inner_texts() == [tokens[-2]]
    tab_to(page, lambda _: page.locator(".st-key-lens_table button:focus").count() == 1)
    press(page, "ArrowDown", "ArrowLeft", "Enter")
    assert page.locator("[data-cell].open").count() == 1
    assert page.locator("[data-cell].open:focus").count() == 1


def test_the_tree_is_navigated_by_keys(page: Page) -> None:
    follow_link(page, "集束搜尋", ".pane .node")
    tab_to(page, named("長一層"))
    press(page, "Enter")
    press(page, "Enter")
    page.locator(".pane .head").nth(2).wait_for()
    tab_to(page, lambda element: str(element["kind"]).startswith("node"))
    press(page, "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowRight", "ArrowDown")
    assert page.locator(".pane .head").count() == 3, "arrow keys in the tree grow no level"
    assert page.locator(".st-key-beam_tree .card").count() == 1
    before = focused(page)["name"]
    press(page, "Enter")
    assert page.locator(".node.open").get_attribute("aria-label") == before
    assert focused(page)["name"] == before


def test_animations_stop_with_reduced_motion(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address)
    try:
        animations = []
        for motion in ("no-preference", "reduce"):
            page.emulate_media(reduced_motion=motion)
            page.get_by_role("button", name="下一步").click()
            settle(page)
            played = page.locator(".stage.played").first
            animations.append(played.evaluate("node => getComputedStyle(node).animationName"))
        assert animations == ["pulse", "none"]
    finally:
        leave(page)


@pytest.mark.parametrize("dark", [False, True])
def test_a_link_in_the_bar_shows_that_it_has_the_focus(chromium: Browser, address: str, dark: bool) -> None:
    page = open_page(chromium, address, dark=dark)
    links = page.locator(".st-key-bar a")
    current = links.first.evaluate("link => getComputedStyle(link).outlineStyle")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.locator(".st-key-bar_links a:focus").count():
            break
    focused = page.locator(".st-key-bar_links a:focus")
    style = focused.evaluate("link => [getComputedStyle(link).outlineStyle, getComputedStyle(link).outlineColor]")
    assert current == "none"
    assert style == ["solid", "rgb(86, 180, 233)" if dark else "rgb(0, 114, 178)"]
    leave(page)
