"""What stays on a page keeps its place: what is not drawn takes no room, and the lesson's sheet is always there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from pages.i18n.translator import Translator
from tests.browser.app import settle

PAGES = ("", "beam", "compare", "attention", "tokens", "training", "limits", "chat", "side-by-side", "uses", "quiz")
EMPTY = """() => [...document.querySelectorAll(".stMain [data-testid=stLayoutWrapper], .stMain .stElementContainer")]
  .filter((node) => !node.getBoundingClientRect().height && node.getClientRects().length)
  .filter((node) => !["absolute", "fixed"].includes(getComputedStyle(node).position))
  .map((node) => node.className + node.firstElementChild?.className)"""
WATCH = """() => {
  window.heights = [];
  const look = () => {
    window.heights.push(document.querySelector(".st-key-coach")?.getBoundingClientRect().height ?? 0);
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture
def page(newcomer: Page) -> Page:
    """An empty page: every test opens an address of its own."""
    return newcomer


@pytest.mark.parametrize("name", PAGES)
def test_nothing_without_height_takes_the_room_of_a_gap(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}?lang=en")
    page.wait_for_selector(".stMain h1")
    settle(page, 60)  # the server may not have drawn a chart before
    assert page.evaluate(EMPTY) == []


def test_the_sheet_is_there_in_every_frame_of_a_search(page: Page, address: str) -> None:
    page.goto(f"{address}/beam?lesson=05-beam.3&lang=en")
    page.wait_for_selector(".st-key-coach .task", timeout=20_000)
    settle(page)
    page.evaluate(WATCH)
    page.get_by_role("button", name=Translator("en")("beam.grow_all")).first.click()
    page.wait_for_selector(".st-key-coach .task.done")
    heights = page.evaluate("window.heights")
    assert len(heights) > 10
    assert min(heights) > 0
