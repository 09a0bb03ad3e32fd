"""The first minute of a visitor whose browser has not been here: the reduced step page, in sight and in motion."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.i18n.translator import Translator
from tests.browser.app import settle
from tests.browser.tabs import borrow, leave
from tests.browser.test_accessible import SCHEMES, violations

SIZES = [(1280, 900), (1366, 657), (390, 844)]


def arrive(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(".bars .row", timeout=90_000)


@pytest.fixture
def visitor(chromium: Browser, address: str) -> Iterator[Page]:
    """A page on which two tokens have been written."""
    page = borrow(chromium, first=True, motion=True)
    arrive(page, address)
    yield page
    leave(page)


def test_two_tokens_are_written_and_then_the_page_waits(visitor: Page) -> None:
    tokens = visitor.locator(".strip .t")
    expect(tokens).to_have_count(5)
    bars = visitor.locator(".bars").bounding_box()
    assert visitor.locator(".controls button:visible").count() == 1
    assert visitor.locator(".loop:visible, .ruler:visible, [data-testid=stSlider]").count() == 0
    assert visitor.locator(".bars .row").count() == 6
    visitor.wait_for_timeout(2500)
    assert tokens.count() == 5
    visitor.locator("[data-keep=next]").click()
    expect(tokens).to_have_count(6)
    settle(visitor)
    assert visitor.locator(".controls button:visible").count() == 4
    assert visitor.locator(".bars").bounding_box() == bars, "the other buttons have their room"


def test_a_click_during_the_writing_ends_it(visitor: Page) -> None:
    visitor.locator("[data-keep=next]").click()
    settle(visitor)
    count = visitor.locator(".strip .t").count()
    visitor.wait_for_timeout(2500)
    assert visitor.locator(".strip .t").count() == count


def test_nothing_is_written_where_motion_is_unwanted(chromium: Browser, address: str) -> None:
    page = borrow(chromium, first=True)
    arrive(page, address)
    page.wait_for_timeout(3000)
    assert page.locator(".strip .t").count() == 3
    leave(page)


def test_the_browser_remembers_what_its_visitor_wants_to_see(visitor: Page, address: str) -> None:
    expect(visitor.locator(".strip .t")).to_have_count(5)
    settle(visitor)  # until the URL has them too
    visitor.reload()
    visitor.wait_for_selector(".bars .row")
    settle(visitor)
    visitor.wait_for_timeout(2500)
    assert visitor.locator(".strip .t").count() == 5 and not visitor.locator(".loop:visible").count()
    visitor.get_by_role("button", name="看更多").click()
    visitor.wait_for_selector(".loop:visible")
    assert visitor.locator(".strip .t").count() == 5
    settle(visitor)
    other = visitor.context.new_page()
    other.goto(address)
    other.wait_for_selector(".loop:visible", timeout=60_000)
    other.get_by_role("button", name="只看句子").click()
    other.wait_for_selector(".loop", state="hidden")
    settle(other)
    visitor.goto(address)
    visitor.wait_for_selector(".bars .row")
    settle(visitor)
    assert not visitor.locator(".loop:visible").count()


@pytest.mark.parametrize("locale", ["zh-TW", "zh-CN", "en-GB"])
def test_button_bars_and_ways_on_are_in_sight_and_readable(chromium: Browser, address: str, locale: str) -> None:
    page = borrow(chromium, locale, first=True)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        arrive(page, address)
        settle(page)
        in_sight = [".controls .first", ".bars .row >> nth=5"] + [".st-key-see_more button"] * (width > 640)
        for selector in in_sight:
            box = page.locator(selector).bounding_box()
            assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= height, (selector, width, box)
        assert page.evaluate("document.querySelector('.stMain').scrollWidth <= innerWidth")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            settle(page)
            assert violations(page) == []
    leave(page)


def test_a_browser_of_the_mainland_gets_simplified_chinese_in_its_fonts(chromium: Browser, address: str) -> None:
    """Streamlit's own elements and the components; the prompt is in the characters that the model has read."""
    page, t = borrow(chromium, "zh-CN", first=True), Translator("zh_Hans")
    arrive(page, address)
    settle(page)
    assert page.evaluate("document.documentElement.lang") == "zh-Hans" and "lang=" not in page.url
    assert page.locator("h1").inner_text() == t("first.title")
    assert page.get_by_label(t("step.prompt")).input_value() == Translator("zh_Hant").list("step.examples.list")[0]
    for element, font in (
        ("h1", "Noto Sans SC"), ("textarea", "Noto Sans SC"), (".st-key-die button p", "Noto Sans SC"),
        (".controls .first", "Noto Sans SC"), (".bars .word", "Noto Sans Mono CJK SC"),
    ):  # fmt: skip
        fonts: str = page.locator(element).first.evaluate("(node) => getComputedStyle(node).fontFamily")
        assert fonts.startswith(f'"{font}"'), element
    leave(page)
