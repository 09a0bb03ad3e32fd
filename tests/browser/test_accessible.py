"""Browser tests of accessibility with axe-core: WCAG 2.1 A and AA, both themes, two widths, everything opened.

One language and width a day; all of them by `make test-all`.

The pages are read from the navigation, so new ones are included. axe inspects the components' shadow roots as well.
What axe cannot check (keyboard, tables beside charts, reduced motion) is tested in test_keyboard.py.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.app import follow, links, open_page, settle
from tests.browser.tabs import leave
from tests.turns import todays

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# Streamlit's own elements, which the app cannot change: (rule, selector within which violations are ignored).
EXEMPTIONS = [
    ("scrollable-region-focusable", "[data-testid=stCode]"),  # a line of code wider than a phone
]
VISITS = [("中文", 1280), ("English", 390), ("English", 1280), ("中文", 390)]
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
_OPEN_DETAILS = """() => {
  const walk = (place) => {
    for (const node of place.querySelectorAll("*")) {
      if (node.tagName === "DETAILS") node.open = true;
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(document.querySelector(".stMain"));
}"""


def show_all(page: Page) -> None:
    """Press the main button, turn on every switch, run every experiment, and open every disclosure."""
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
    if page.locator(".stage").count():  # so that there are tokens behind the cursor
        page.get_by_role("button", name="←").click()
        settle(page)
    page.evaluate(_OPEN_DETAILS)
    settle(page)


def within(page: Page, target: list[Any], selector: str) -> bool:
    """Whether a target that axe reports, not in a shadow root, is within an element that matches the selector."""
    path = target[0]
    return isinstance(path, str) and page.locator(path).first.evaluate("(n, s) => Boolean(n.closest(s))", selector)


def violations(page: Page) -> list[str]:
    """Violations found by axe without the exemptions, one line per element."""
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    reported: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    lines = []
    for violation in reported:
        for node in violation["nodes"]:
            target = node["target"]
            if not any(violation["id"] == rule and within(page, target, selector) for rule, selector in EXEMPTIONS):
                messages = [check["message"] for check in (*node["any"], *node["all"], *node["none"])]
                lines.append(f"{violation['id']} {target} {node['html'][:160]} {messages[0] if messages else ''}")
    return lines


@pytest.mark.parametrize(("language", "width"), todays(VISITS, len(VISITS)))
def test_no_page_breaks_a_rule(chromium: Browser, address: str, language: str, width: int) -> None:
    page = open_page(chromium, address)
    broken: list[str] = []
    schemes = list(SCHEMES)

    def check() -> None:
        """Open everything on the page once, and inspect it in both themes."""
        settle(page)
        show_all(page)
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            settle(page)
            broken.extend(f"{page.url} {scheme} {width}: {line}" for line in violations(page))
        page.set_viewport_size({"width": 1280, "height": 900})
        schemes.reverse()  # the next page is drawn in the theme of this one

    try:
        page.get_by_role("radio", name=language).or_(page.get_by_role("button", name=language)).first.click()
        settle(page)
        pages = links(page)
        assert len(pages) > 8
        for name in pages:
            follow(page, name)
            page.wait_for_selector(".stMain h1")
            check()
            assert page.locator("html").get_attribute("lang") == ("en" if language == "English" else "zh-Hant")
        page.goto(f"{address}/?lesson=02-loop.2")  # with the sheet of a lesson
        page.locator(".task").wait_for(timeout=60_000)
        check()
    finally:
        leave(page)
    assert not broken, "\n".join(broken)
