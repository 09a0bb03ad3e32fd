"""Every page of the navigation before axe-core: WCAG 2.1 A and AA, both themes, both widths, with all there is opened.

The pages are those that the app itself lists, so a new one is checked as soon as it stands there. axe looks into the
components' shadow roots. What axe cannot judge (keys, tables beside pictures, motion) is tested in test_keyboard.py.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.app import open_page, settle

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# Streamlit's own elements, which cannot be mended from outside: the rule, and within what it may be broken.
NOT_OURS = [
    ("list", "[data-testid=stSidebarNavItems]"),  # it groups the links of a section in a div within the list
    ("listitem", "[data-testid=stSidebarNavItems]"),
    ("scrollable-region-focusable", "[data-testid=stCode]"),  # a line of code that is wider than a phone
]
# Theme, width, language.
LOOKS = [("light", 1280, "中文"), ("dark", 390, "English"), ("dark", 1280, "中文"), ("light", 390, "English")]
_OPEN_DETAILS = """() => {
  const walk = (place) => {
    for (const node of place.querySelectorAll("*")) {
      if (node.tagName === "DETAILS") node.open = true;
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(document.querySelector(".stMain"));
}"""


def addresses(page: Page) -> list[str]:
    """Every page of the app, in the order of its navigation."""
    links = page.locator("[data-testid=stSidebarNav] a")
    return [str(link.evaluate("link => link.href")) for link in links.all()]


def show_all(page: Page) -> None:
    """What a visitor sees who has pressed the main button, opened every disclosure and turned on every switch."""
    main = page.locator(".stMain [data-testid=stBaseButton-primary]:enabled")
    if main.count():
        main.first.click()
        settle(page)
    if page.url.endswith("/compare"):
        page.locator(".st-key-compare_stop button:disabled").wait_for(timeout=60_000)
        settle(page)
    for switch in page.locator(".stMain .stCheckbox label:has(input:not(:checked))").all():
        switch.click()
        settle(page)
    for experiment in page.locator("[class*='st-key-try-'] button").all():
        experiment.click()
        settle(page)
    if page.locator(".stage").count():  # a way of one's own, and a text that goes on behind the cursor
        page.get_by_role("button", name="←").click()
        settle(page)
    page.evaluate(_OPEN_DETAILS)
    settle(page)


def within(page: Page, place: list[Any], selector: str) -> bool:
    """Whether a place that axe names lies, outside of any component, in what the selector finds."""
    one = place[0]
    return isinstance(one, str) and page.locator(one).first.evaluate("(n, s) => Boolean(n.closest(s))", selector)


def violations(page: Page) -> list[str]:
    """What axe objects to, one line a place."""
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    lines = []
    for violation in found:
        for node in violation["nodes"]:
            place = node["target"]
            if not any(violation["id"] == rule and within(page, place, selector) for rule, selector in NOT_OURS):
                said = [check["message"] for check in (*node["any"], *node["all"], *node["none"])]
                lines.append(f"{violation['id']} {place} {node['html'][:160]} {said[0] if said else ''}")
    return lines


@pytest.mark.parametrize(("scheme", "width", "language"), LOOKS)
def test_no_page_breaks_a_rule(
    chromium: Browser, address: str, scheme: Literal["light", "dark"], width: int, language: str
) -> None:
    page = open_page(chromium, address)
    broken: list[str] = []

    def check() -> None:
        settle(page)
        show_all(page)
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        broken.extend(f"{page.url} {scheme} {width}: {line}" for line in violations(page))
        page.set_viewport_size({"width": 1280, "height": 900})

    try:
        pages = addresses(page)
        assert len(pages) > 4
        page.emulate_media(color_scheme=scheme)
        page.get_by_role("radio", name=language).or_(page.get_by_role("button", name=language)).first.click()
        settle(page)
        for link in pages:
            page.locator(f"[data-testid=stSidebarNav] a[href='{link}']").click()
            page.wait_for_selector(".stMain h1")
            check()
            assert page.locator("html").get_attribute("lang") == ("en" if language == "English" else "zh-Hant")
        page.goto(f"{address}/?lesson=02-loop.2")  # with a lesson's sheet
        page.locator(".task").wait_for(timeout=60_000)
        check()
    finally:
        page.context.close()
    assert not broken, "\n".join(broken)
