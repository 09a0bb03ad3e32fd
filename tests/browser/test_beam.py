"""Browser tests of the beam page: growing, going back, opening nodes and stubs, opening a beam on the step page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import chips, follow, settle
from tests.browser.tabs import borrow, leave


@pytest.fixture
def beams(chromium: Browser, address: str) -> Iterator[Page]:
    """The beam page, opened by a visitor whose first request it is."""
    page = borrow(chromium, height=1400)
    page.goto(f"{address}/beam")
    page.wait_for_selector(".pane .node", timeout=90_000)
    settle(page)
    yield page
    leave(page)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=False).first.click()
    settle(page)


def levels(page: Page) -> int:
    return page.locator(".pane .head").count()


def test_it_grows_goes_back_and_grows_again(beams: Page) -> None:
    assert levels(beams) == 1
    first = beams.locator(".node .word").all_text_contents()
    press(beams, "長一層")
    press(beams, "長一層")
    assert levels(beams) == 3
    press(beams, "退一層")
    press(beams, "退一層")
    assert beams.locator(".node .word").all_text_contents() == first
    beams.keyboard.press("ArrowRight")
    settle(beams)
    assert levels(beams) == 2


def test_a_node_opens_and_goes_on_step_by_step(beams: Page) -> None:
    press(beams, "長一層")
    node = beams.locator(".node.live").last
    word = node.locator(".word").text_content()
    node.click()
    settle(beams)
    opened = chips(beams)
    assert opened[-1] == word
    assert beams.locator(".node.open .word").all_text_contents() == [word]
    press(beams, "從這句一步一步接下去")
    beams.wait_for_selector(".loop")
    settle(beams)
    assert chips(beams) == opened
    follow(beams, "集束搜尋")
    beams.wait_for_selector(".pane .node")
    settle(beams)
    assert levels(beams) == 2


def test_a_stub_opens_and_closes(beams: Page) -> None:
    press(beams, "長一層")
    pruned = beams.locator(".node.pruned").count()
    beams.locator(".stub").first.click()
    settle(beams)
    assert beams.locator(".node.pruned").count() > pruned
    beams.get_by_role("button", name="−").first.click()
    settle(beams)
    beams.locator(".stub text", has_text="−").first.click()
    settle(beams)
    assert beams.locator(".node.pruned").count() == pruned


def test_the_end_marks_one_winner_and_says_who_won(beams: Page) -> None:
    press(beams, "長到底")
    beams.wait_for_selector(".node.win", timeout=60_000)
    settle(beams)
    won = [word for word in beams.locator(".node.win .word").all_text_contents() if word]
    assert chips(beams)[-len(won) :] == won
    assert beams.get_by_text("集束搜尋贏了嗎？").count() == 1
    beams.get_by_text("換成機率來看").click()
    settle(beams)
    beams.wait_for_selector(".js-plotly-plot .slice")
    assert beams.locator(".js-plotly-plot .slice").count() > 4
    assert beams.locator("[data-testid=stException]").count() == 0
