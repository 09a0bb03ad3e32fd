"""Speculative decoding page in a browser: a run, why a guess was kept or struck out, and the grid of all at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from pages.i18n.translator import Translator
from tests.browser.app import settle

T = Translator("en")


@pytest.mark.parametrize(("width", "height"), [(1366, 657), (390, 844)])
def test_guesses_are_looked_at_and_the_grid_fills(newcomer: Page, address: str, width: int, height: int) -> None:
    page = newcomer
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{address}/speculative?lang=en")
    page.locator(".st-key-speculative_start button").click(timeout=60_000)
    expect(page.get_by_text("compared just now")).to_be_visible(timeout=20_000)
    struck = page.locator(".chip.struck").first
    struck.scroll_into_view_if_needed()
    struck.focus()
    expect(page.locator(".note")).to_have_text(struck.get_attribute("aria-label") or "?")
    page.locator(".chip.kept").first.click()
    expect(page.locator(".note")).to_contain_text("first choice too")
    expect(page.locator(".chip[aria-pressed=true]")).to_have_count(1)
    struck.hover()
    expect(page.locator(".note")).to_have_text(struck.get_attribute("aria-label") or "?")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("radio", name=T("speculative.name.jacobi")).click()
    settle(page)
    page.locator(".st-key-speculative_start button").click()
    expect(page.locator("td.final").nth(100)).to_be_attached(timeout=20_000)
    expect(page.locator("tr").last.locator("td.open")).to_have_count(0, timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
