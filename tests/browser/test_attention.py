"""The looking-inside page in a real browser: open a head, change the row and the layer, leave and come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.app import chips, settle


@pytest.fixture
def inside(page: Page) -> Iterator[Page]:
    """A visitor who took two steps and then looks inside."""
    for _ in range(2):
        page.get_by_role("button", name="下一步").click()
        settle(page)
    look(page)
    yield page
    assert page.locator("[data-testid=stException]").count() == 0


def look(page: Page) -> None:
    page.get_by_role("link", name="看看裡面").click()
    page.wait_for_selector(".pane canvas", timeout=30_000)
    settle(page)


def asked(page: Page) -> str | None:
    return page.locator(".asks").text_content()


def test_it_follows_the_step_page_and_back(inside: Page) -> None:
    text = chips(inside)
    assert inside.get_by_role("textbox", name="提示").input_value() == "今天天氣真"
    assert inside.locator(".line .chips button").all_inner_texts() == text
    inside.get_by_role("link", name="一步一步生成").click()
    inside.wait_for_selector(".loop")
    settle(inside)
    assert chips(inside) == text
    inside.get_by_role("button", name="返回").click()
    settle(inside)
    look(inside)
    assert inside.locator(".line .chips button").all_inner_texts() == text[:-1]


def test_a_head_opens_from_the_overview_and_stays_open(inside: Page) -> None:
    canvas = inside.locator(".pane canvas").first
    box = canvas.bounding_box()
    assert box is not None
    inside.mouse.click(box["x"] + 42 + (box["width"] - 42) / 6 * 3.4, box["y"] + 18 + (box["height"] - 18) / 6 * 1.4)
    settle(inside)
    assert "第 2 層第 4 個頭" in (inside.locator(".told").first.text_content() or "")
    inside.get_by_role("link", name="集束搜尋").click()
    inside.wait_for_selector(".pane .node")
    look(inside)
    assert "第 2 層第 4 個頭" in (inside.locator(".told").first.text_content() or "")


def test_another_row_asks_another_question(inside: Page) -> None:
    first = asked(inside)
    tokens = inside.locator(".line .chips button").all_inner_texts()
    inside.locator(".line .chips button").nth(1).click()
    settle(inside)
    assert asked(inside) != first
    assert tokens[2] in (asked(inside) or "")
    assert inside.locator(".line .chips button.at").all_inner_texts() == [tokens[1]]


def test_another_layer_by_click_and_by_key(inside: Page) -> None:
    inside.get_by_role("radio", name="這一層的平均").click()
    settle(inside)
    told = inside.locator(".told").first
    assert "第 1 層，" in (told.text_content() or "")
    canvas = inside.locator("canvas[role=application]")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": 60, "y": 18 + (box["height"] - 18) / 6 * 3.5})
    assert "第 4 層，" in (told.text_content() or "")  # at once
    settle(inside)
    assert inside.get_by_role("radio", name="這一層的平均").is_checked()
    canvas.press("ArrowDown")
    canvas.press("ArrowDown")
    settle(inside)
    assert "第 6 層，" in (told.text_content() or "")


def test_every_view_is_drawn(inside: Page) -> None:
    for name in ("這一層的平均", "全部的平均", "注意力展開", "一個頭"):
        inside.get_by_role("radio", name=name).click()
        settle(inside)
        assert inside.locator(".arc").count() > 0


def test_a_cell_of_the_lens_opens_its_list(inside: Page) -> None:
    inside.locator("[data-cell='2:1']").click()
    settle(inside)
    assert inside.locator("[data-cell='2:1'].open").count() == 1
    listed = inside.locator(".st-key-inside_cell tbody tr")
    assert listed.count() == 10
    cell = inside.locator("[data-cell='2:1'].open").inner_text().split("\n")[0]
    assert listed.first.locator("th").inner_text() == cell
    assert inside.locator(".st-key-inside_ranks tbody tr").count() == 7
