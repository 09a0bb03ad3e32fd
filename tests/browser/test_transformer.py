"""Browser test of the page of the whole model: boxes by keyboard and by touch, another layer, the next token."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.app import overflowing_elements, settle
from tests.browser.tabs import borrow, leave


def test_a_box_a_layer_and_the_next_token(chromium: Browser, address: str) -> None:
    page = borrow(chromium, "en-GB")
    page.goto(f"{address}/transformer")
    first = page.locator("[data-box=tokens]")
    first.wait_for(timeout=60_000)
    settle(page)
    expect(page.locator(".map.beside > .detail h2")).to_contain_text("Tokens")
    first.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    settle(page)
    expect(page.locator("[data-box=attention]")).to_be_focused()
    expect(page.locator("[data-box=attention]")).to_have_attribute("aria-expanded", "true")
    page.locator("[data-keep=head]").press("End")
    page.locator("[data-keep=layer]").press("ArrowRight")
    settle(page)
    expect(page.locator(".detail caption")).to_have_text("Layer 2, head 6")
    assert "box=attention" in page.url and "head=2.6" in page.url
    word = page.locator("[data-box=choice] b").inner_text()
    page.locator(".moves .append").click()
    settle(page)
    expect(page.locator("[data-box=tokens] b").last).to_have_text(word)
    expect(page.locator(".wires .plus")).to_have_count(2)
    page.set_viewport_size({"width": 390, "height": 844})
    below = page.locator(".flow .detail")
    below.wait_for()
    box, detail = page.locator("[data-box=attention]").bounding_box(), below.bounding_box()
    assert box is not None and detail is not None and detail["y"] >= box["y"] + box["height"]
    assert overflowing_elements(page) == []
    page.locator(".detail .go").click()
    page.wait_for_selector(".pane canvas", timeout=30_000)
    assert page.locator("[data-testid=stException]").count() == 0
    leave(page)
