"""Browser tests of every page on paper: nothing is cut, nothing can be clicked, dark pages are black on white.

The page is laid out for paper without its scripts, as a browser prints: no script is told of the new width.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import settle, visit
from tests.browser.tabs import new_page

MARGINS = 2 * 12 / 25.4 * 96  # pixels at 96 to the inch
PORTRAIT, LANDSCAPE = round(210 / 25.4 * 96 - MARGINS), round(297 / 25.4 * 96 - MARGINS)
SLACK = 6  # pixels of the margin that a chart's label may take
_HOLD = """() => {
  window.ResizeObserver = class extends ResizeObserver {
    constructor(tell) { super((...all) => window.held || tell(...all)); }
  };
  window.addEventListener("resize", (event) => window.held && event.stopImmediatePropagation(), true);
}"""
# All elements that are drawn, also in shadow roots: [name, left, right] of each.
_DRAWN = """() => {
  const found = [];
  const visit = (node) => {
    if (!node.checkVisibility({ visibilityProperty: true })) return;
    const { left, right, width, height } = node.getBoundingClientRect();
    const style = getComputedStyle(node);
    if (width > 1 && height > 1 && !style.clipPath.startsWith("inset"))
      found.push([`${node.localName} ${node.getAttribute("class")} ${node.textContent.slice(0, 30)}`, left, right]);
    for (const child of [...node.children, ...(node.shadowRoot?.children ?? [])]) visit(child);
  };
  visit(document.body);
  return found;
}"""
CONTROLS = ", ".join((
    ".stAppHeader", ".st-key-bar", ".stButton", ".stSlider", ".stNumberInput", ".stSelectbox", ".stMultiSelect",
    ".stButtonGroup", ".stCheckbox", ".stPageLink", "[data-testid=stPopover]", "[data-testid=stPopoverBody]",
    ".stFileUploader", ".controls button", ".stepper button", ".moves", ".foot", ".take", ".tools button",
    ".lesson button",
))  # fmt: skip
LONG = "%E4%BB%8A%E5%A4%A9" * 30  # a text whose maps and tables are wider than the paper
PAGES = {
    "": "",
    "beam": ".st-key-grow button",
    "compare": "",
    f"attention?prompt={LONG}": "",
    "tokens": "",
    "training": "",
    "chat": "",
    "uses": "",
    "quiz": "",
    "course": "",
    "?lesson=01-next-token.1": "",
}


@pytest.fixture(scope="module")
def dark(chromium: Browser, address: str) -> Iterator[Page]:
    page = new_page(chromium, dark=True)
    page.add_init_script(f"({_HOLD})()")
    visit(page, address)
    yield page
    page.context.close()


def opened(page: Page, url: str) -> None:
    """Open a page on the screen."""
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(url)
    page.wait_for_selector(".stMain h1")
    settle(page)


def on_paper(page: Page, width: int) -> None:
    """Lay the page out for paper of a width within its margins."""
    page.evaluate("window.held = true")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("matchMedia('print').matches")


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_cut_and_none_has_controls(dark: Page, address: str, name: str) -> None:
    opened(dark, f"{address}/{name}")
    if PAGES[name]:
        for _ in range(3):
            dark.locator(PAGES[name]).click()
            settle(dark)
    bars = dark.locator(".bars .row").count()
    for width in (PORTRAIT, LANDSCAPE):
        on_paper(dark, width)
        drawn = dark.evaluate(_DRAWN)
        assert [text for text, left, right in drawn if left < -SLACK or right > width + SLACK] == []
        assert (
            dark.locator(CONTROLS).evaluate_all("all => all.filter((n) => n.checkVisibility()).map((n) => n.className)")
            == []
        )
        assert dark.locator(".bars .row:visible").count() == bars
    for place in ("html", "body", ".stApp"):
        assert dark.locator(place).evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(255, 255, 255)"
    for place in (".stMain h1", ".stMain .root"):
        assert dark.locator(place).first.evaluate("node => getComputedStyle(node).color") == "rgb(0, 0, 0)"
    foot = dark.locator(".stMainBlockContainer").evaluate("node => getComputedStyle(node, '::after').content")
    if bars:
        settings = dark.locator(".st-key-stage .settings")
        assert settings.is_visible() and "溫度 1 · 種子 7" in settings.inner_text()
    assert address in foot and re.search(r"20\d\d", foot), "the address and the date"


def test_all_of_a_page_is_printed_and_not_only_its_first_screen(dark: Page, address: str) -> None:
    opened(dark, f"{address}/training")
    on_paper(dark, PORTRAIT)
    height = dark.evaluate("document.documentElement.scrollHeight")
    lowest = max(
        dark.locator(".stMain .stElementContainer:visible").evaluate_all(
            "all => all.map((n) => n.getBoundingClientRect().bottom)"
        )
    )
    assert height >= lowest > 1500
    file = dark.pdf(prefer_css_page_size=True, width="210mm", height="297mm")
    pages = len(re.findall(rb"/Type\s*/Page\b", file))
    assert pages >= lowest / (297 / 25.4 * 96)


def test_a_lesson_is_a_worksheet(dark: Page, address: str) -> None:
    opened(dark, f"{address}/?lesson=01-next-token.1")
    on_paper(dark, PORTRAIT)
    sheet = dark.locator(".st-key-coach")
    panel, task = sheet.locator(".panel"), sheet.locator(".task")
    box = panel.bounding_box()
    bars = dark.locator(".bars").bounding_box()
    assert box is not None and bars is not None and box["y"] + box["height"] <= bars["y"], "the sheet is above the bars"
    assert "模型認得" in panel.inner_text()
    tick = task.locator(".tick")
    assert tick.evaluate("n => [n.offsetWidth > 12, n.offsetHeight > 12, getComputedStyle(n).borderTopStyle]") == [
        True,
        True,
        "solid",
    ]
    room = "node => parseFloat(getComputedStyle(node, '::after').height)"
    assert task.evaluate(room) > 80, "room for the answer"
    assert task.locator(".then").count() == 0, "what is told once the task is done"
    opened(dark, f"{address}/?lesson=01-next-token.1")
    dark.get_by_role("button", name="下一步").first.click()
    settle(dark)
    task.locator(".then").wait_for()
    on_paper(dark, PORTRAIT)
    assert task.locator(".then").is_visible() and task.locator(".tick").inner_text() == "✓"
