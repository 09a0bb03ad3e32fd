"""A lesson in a narrow window: the line at its foot and the text above it; the rows at the top of a phone's screen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import chips, settle

WIDTH, HEIGHT = 390, 844


@pytest.fixture
def page(newcomer: Page) -> Page:
    """An empty page: every test opens an address of its own."""
    return newcomer


def open_lesson(page: Page, address: str, name: str, path: str = "", width: int = WIDTH, height: int = HEIGHT) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{address}/{path}?lesson={name}&lang=en")
    page.locator(".foot").wait_for(timeout=30_000)
    settle(page)


def box(locator: Locator) -> dict[str, float]:
    found = locator.bounding_box()
    assert found is not None
    x, y, width, height = found["x"], found["y"], found["width"], found["height"]
    return {"x": x, "y": y, "width": width, "height": height, "bottom": y + height, "right": x + width}


def wait_until_arranged(page: Page) -> None:
    """Wait until the lesson has scrolled and has decided whether its text opens."""
    page.wait_for_function(
        """() => {
          const root = document.querySelector(".st-key-coach [data-testid=stBidiComponentIsolated]").shadowRoot;
          return root.querySelector(".root").arranged;
        }"""
    )


def test_the_foot_is_a_line_with_the_button_of_the_page(page: Page, address: str) -> None:
    open_lesson(page, address, "06-sampling.2")
    foot, act = box(page.locator(".foot")), page.locator(".foot .act")
    assert [foot["x"], foot["width"], foot["bottom"]] == pytest.approx([0, WIDTH, HEIGHT], abs=0.5)
    assert 50 <= foot["height"] <= 60
    told = page.locator(".foot .told")
    assert box(told)["height"] < 30 and box(told)["right"] < box(act)["x"]
    assert told.evaluate("node => node.scrollWidth > node.clientWidth"), "the text should be longer than the line"
    expect(act).to_have_text("Run 15")
    before = len(chips(page))
    act.click()
    expect(act).to_have_text("Stop")
    expect(act).to_have_text("Restart", timeout=30_000)
    assert len(chips(page)) == before + 15
    expect(page.locator(".foot .tick")).to_have_text("●○○")
    expect(page.locator(".foot .tick")).to_have_attribute("aria-label", "1 of 3")
    act.click()
    expect(act).to_have_text("Another seed")
    assert len(chips(page)) == before
    seed = page.get_by_role("spinbutton", name="Seed").input_value()
    act.click()
    expect(act).to_have_text("Run 15")
    assert page.get_by_role("spinbutton", name="Seed").input_value() != seed


def test_the_text_opens_above_the_foot_and_closes(page: Page, address: str) -> None:
    open_lesson(page, address, "01-next-token.1")
    wait_until_arranged(page)
    panel, more = page.locator(".panel"), page.locator(".foot .more")
    expect(panel).to_be_hidden()
    expect(more).to_have_attribute("aria-expanded", "false")
    for close in (more.click, lambda: page.keyboard.press("Escape")):
        more.click()
        expect(panel).to_be_visible()
        expect(more).to_have_attribute("aria-expanded", "true")
        assert box(panel)["height"] <= 0.6 * HEIGHT
        assert box(panel)["bottom"] == pytest.approx(box(page.locator(".foot"))["y"], abs=1)
        close()
        expect(panel).to_be_hidden()
        expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    page.locator(".foot .act").click()
    expect(page.locator(".foot.done")).to_be_visible()
    expect(page.locator(".foot .act")).to_have_text("✓ Continue")


def test_a_long_text_is_scrolled_within_its_panel(page: Page, address: str) -> None:
    open_lesson(page, address, "01-next-token.1", width=320, height=480)
    page.locator(".foot .more").click()
    panel = page.locator(".panel")
    assert box(panel)["height"] <= 0.6 * 480
    assert panel.evaluate("node => node.scrollHeight > node.clientHeight")
    page.get_by_role("button", name="Leave the course").click()
    expect(page.locator(".foot")).to_have_count(0)


@pytest.mark.parametrize(("name", "opens"), [("01-next-token.1", False), ("01-next-token.2", True)])
def test_a_step_begins_with_its_text_open_where_that_covers_nothing(
    page: Page, address: str, name: str, opens: bool
) -> None:
    open_lesson(page, address, name)
    wait_until_arranged(page)
    panel = page.locator(".panel")
    expect(panel).to_be_visible() if opens else expect(panel).to_be_hidden()
    if opens:
        assert box(page.locator(".st-key-search"))["bottom"] <= box(panel)["y"]


@pytest.mark.parametrize("path", ["", "beam", "tokens"])
def test_the_foot_covers_nothing_at_the_end_of_the_page(page: Page, address: str, path: str) -> None:
    name = {"": "01-next-token.1", "beam": "05-beam.1", "tokens": "08-tokens.1"}[path]
    open_lesson(page, address, name, path)
    wait_until_arranged(page)
    page.evaluate("document.querySelector('.stMain').scrollTo(0, 1e6)")
    lowest: float = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll(".stMain .stElementContainer")]
          .filter((node) => node.checkVisibility() && !node.closest(".st-key-coach"))
          .filter((node) => ["relative", "static"].includes(getComputedStyle(node).position))
          .map((node) => node.getBoundingClientRect().bottom))"""
    )
    assert lowest > HEIGHT / 3
    assert lowest <= box(page.locator(".foot"))["y"] + 1


def test_on_another_page_the_foot_leads_back(page: Page, address: str) -> None:
    open_lesson(page, address, "01-next-token.1")
    page.goto(f"{address}/tokens?lesson=01-next-token.1&lang=en")
    act = page.locator(".foot .act")
    expect(act).to_have_text("Back to this step's page")
    act.click()
    expect(act).to_have_text("Next")


@pytest.mark.parametrize(
    ("name", "path", "label", "then"),
    [
        ("04-greedy.3", "", "Sampling", "Run 15"),
        ("08-tokens.2", "tokens", "Merge once →", "Merge once →"),
        ("09-inside.4", "attention", "Take each token away in turn", "✓ Continue"),
    ],
)
def test_every_kind_of_button_is_pressed(page: Page, address: str, name: str, path: str, label: str, then: str) -> None:
    open_lesson(page, address, name, path)
    act = page.locator(".foot .act")
    expect(act).to_have_text(label)
    joined = page.locator(".stepper .where")
    before = joined.inner_text() if path == "tokens" else ""
    act.click()
    expect(act).to_have_text(then)
    if path == "tokens":
        expect(joined).not_to_have_text(before)


def test_a_place_without_a_button_is_shown(page: Page, address: str) -> None:
    open_lesson(page, address, "06-sampling.3")
    wait_until_arranged(page)
    page.evaluate("document.querySelector('.stMain').scrollTo(0, 1e6)")
    assert box(page.locator(".st-key-temperature"))["bottom"] < 0
    act = page.locator(".foot .act")
    expect(act).to_have_text("Show me")
    act.click()
    page.wait_for_function("document.querySelector('.st-key-temperature').getBoundingClientRect().top >= 0")


def test_a_menu_stays_where_it_opened_while_a_step_begins(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1366, "height": 657})
    page.goto(f"{address}/?lesson=temperature.1&lang=en")
    page.locator(".panel").wait_for(state="attached", timeout=30_000)
    settle(page)
    page.locator(".st-key-menu button").first.click()  # before the page is scrolled to what the step speaks of
    menu = page.locator("[data-testid=stPopoverBody]:has(.st-key-menu_lab)")
    top = box(menu)["y"]
    page.wait_for_timeout(1_500)
    assert box(menu)["y"] == top >= 0
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 0")


def test_the_temperature_is_moved_with_the_bars_in_sight(page: Page, address: str) -> None:
    open_lesson(page, address, "06-sampling.3")
    wait_until_arranged(page)
    slider, foot = box(page.locator(".st-key-temperature")), box(page.locator(".foot"))
    assert slider["y"] >= 0 and slider["x"] >= 0 and slider["right"] <= WIDTH
    rows = [box(row) for row in page.locator(".bars .row").all()]
    assert sum(row["bottom"] <= foot["y"] for row in rows) >= 5


@pytest.mark.parametrize(("language", "width"), [("zh_Hant", 390), ("zh_Hant", 360), ("en", 390), ("en", 360)])
def test_bar_and_settings_are_a_row_each_on_a_phone(page: Page, address: str, language: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.goto(f"{address}/?lang={language}")
    page.wait_for_selector(".loop")
    settle(page)
    bar = [box(node) for node in page.locator(".st-key-bar > *").all() if node.is_visible()]
    assert len(bar) == 4 and all(part["right"] <= width and part["bottom"] < 70 for part in bar)
    settings = page.locator(".st-key-settings")
    assert box(settings)["height"] <= 80
    parts = [box(node) for node in settings.locator("> *").all() if node.is_visible()]
    edge = box(settings)["right"]
    assert any(part["x"] < edge - 40 and part["right"] > edge for part in parts), "a control is cut at the edge"
    settings.evaluate("node => node.scrollTo(1e6, 0)")
    assert box(page.locator(".st-key-more"))["right"] <= width
    assert page.evaluate("document.querySelector('.stMain').scrollWidth <= innerWidth")
    assert box(page.locator(".ruler"))["bottom"] <= HEIGHT


def test_parts_are_ticked_in_the_column_of_a_wide_window(page: Page, address: str) -> None:
    page.goto(f"{address}/?lesson=02-loop.2&lang=en")
    tick: Any = page.locator(".task .tick")
    expect(tick).to_have_text("○○○")
    for button, ticks in (("next", "●○○"), ("back", "●●○")):
        page.locator(f"[data-keep={button}]").click()
        expect(tick).to_have_text(ticks)
    expect(page.locator(".foot")).to_be_hidden()
