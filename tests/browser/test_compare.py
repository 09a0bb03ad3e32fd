"""Browser tests of the compare page: running, stopping, sorting, opening a text on the step page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import chips, follow, open_more_settings, overflowing_elements, served, settle
from tests.browser.tabs import borrow, leave

TAKE = ".row.text .take:enabled"
STOPPED = ".st-key-compare_stop button:disabled"


def go(page: Page, name: str, selector: str) -> None:
    """Follow a link and wait for an element of that page."""
    follow(page, name)
    page.wait_for_selector(selector)
    settle(page)


def start(page: Page, tokens: str = "Home") -> None:
    """Start a comparison with the minimum number of new tokens, or the maximum (`End`)."""
    page.get_by_role("slider", name="寫幾個新詞元").press(tokens)
    page.wait_for_timeout(400)
    settle(page)
    page.locator(".st-key-compare_start button").click()


def finish(page: Page) -> None:
    page.locator(TAKE).nth(19).wait_for(timeout=60_000)
    page.locator(STOPPED).wait_for()
    settle(page)


def rows(page: Page) -> list[list[str]]:
    """Texts of the chips of each finished row, from top to bottom."""
    text_rows = page.locator(".row.text", has=page.locator(".take:enabled"))
    return [row.locator(".t").all_inner_texts() for row in text_rows.all()]


@pytest.fixture
def compare(newcomer: Page, address: str) -> Page:
    newcomer.goto(f"{address}/compare")
    newcomer.wait_for_selector(".row.title")
    settle(newcomer)
    return newcomer


def test_before_the_first_run_the_page_teaches(compare: Page) -> None:
    assert compare.locator(".row.title").count() == 8
    assert compare.locator(".row.text").count() == 0
    assert "開始比" in compare.locator(".stMain").inner_text()


def test_nothing_of_streamlits_lies_on_a_chart(compare: Page) -> None:
    chart = compare.get_by_test_id("stVegaLiteChart").first
    chart.scroll_into_view_if_needed()
    chart.hover()
    compare.wait_for_timeout(400)
    assert compare.locator("[data-testid=stElementToolbar]:visible").count() == 0


def test_every_strategy_writes_and_it_is_summed_up(compare: Page) -> None:
    start(compare)
    finish(compare)
    assert all(1 <= len(tokens) <= 4 for tokens in rows(compare))
    main = compare.locator(".stMain").inner_text()
    assert "最可能" in main and "多樣性最高" in main
    marks = compare.locator("[data-testid=stVegaLiteChart] svg").first.locator(".mark-symbol path")
    assert marks.count() == 8
    assert compare.get_by_test_id("stException").count() == 0


def test_rows_are_sorted_by_a_measure_both_ways(compare: Page) -> None:
    start(compare)
    finish(compare)
    compare.locator(".bar select").select_option("perplexity")
    values = [float(v) for v in compare.locator(".row.text .by b").all_inner_texts()]
    assert len(values) == 20
    assert values == sorted(values)
    compare.locator(".bar .turn").click()
    assert [float(v) for v in compare.locator(".row.text .by b").all_inner_texts()] == sorted(values, reverse=True)
    compare.locator(".bar select").select_option("way")
    assert compare.locator(".row.title").count() == 8


def test_a_run_stopped_half_way_keeps_what_is_done_on_every_page(compare: Page) -> None:
    start(compare, "End")
    compare.locator(TAKE).nth(2).wait_for()
    compare.locator(".st-key-compare_stop button").click()
    compare.locator(STOPPED).wait_for()
    settle(compare)
    stopped_rows = rows(compare)
    assert 3 <= len(stopped_rows) < 20
    assert compare.locator(".note", has_text="還沒開始").count() >= 1
    compare.wait_for_timeout(600)
    assert rows(compare) == stopped_rows
    go(compare, "一步一步生成", ".loop")
    go(compare, "比一比", ".row.title")
    assert rows(compare) == stopped_rows
    assert compare.locator(".st-key-compare_start button").is_enabled()


def test_a_run_goes_on_when_its_page_is_looked_at_again(compare: Page) -> None:
    start(compare)
    compare.wait_for_selector(TAKE)
    go(compare, "一步一步生成", ".loop")
    go(compare, "比一比", ".row.title")
    finish(compare)


def test_a_text_is_taken_into_the_step_page_with_its_settings(compare: Page) -> None:
    start(compare)
    finish(compare)
    group = compare.locator(".row.title", has_text="top-k").locator("xpath=following-sibling::*[1]")
    tokens = group.locator(".t").all_inner_texts()
    seed = group.locator(".seed").inner_text().split()[-1]
    group.locator(".take").click()
    compare.wait_for_selector(".loop")
    settle(compare)
    text = chips(compare)
    assert text[-len(tokens) :] == tokens
    assert "".join(text[: -len(tokens)]) == "今天天氣真"
    open_more_settings(compare)
    assert compare.get_by_role("slider", name="top-k").input_value() == "20"
    compare.keyboard.press("Escape")
    assert compare.get_by_role("spinbutton", name="種子").input_value() == seed
    compare.get_by_role("button", name="返回").click()
    settle(compare)
    compare.get_by_role("button", name="下一步").click()
    settle(compare)
    assert chips(compare) == text, "with the same seed, the same token is drawn"
    go(compare, "比一比", ".row.title")
    assert len(rows(compare)) == 20


@pytest.mark.parametrize("prompt", ["<img src=x onerror=\"document.title='owned'\">", "**bold** :red[x] $x^2$ 氣"])
def test_odd_text_is_text(compare: Page, prompt: str) -> None:
    compare.get_by_role("textbox", name="提示").first.fill(prompt)
    start(compare)
    finish(compare)
    compare.locator(".take").first.click()
    compare.wait_for_selector(".loop")
    settle(compare)
    assert compare.title() != "owned"
    assert compare.get_by_text("�").count() == 0
    assert compare.locator(".stMain").locator("script, img, .katex").count() == 0


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(chromium: Browser, address: str, dark: bool) -> None:
    page = borrow(chromium, width=390, height=844, dark=dark)
    try:
        page.goto(f"{address}/compare")
        page.wait_for_selector(".row.title")
        page.locator(".st-key-compare_start button").click()
        finish(page)
        page.locator(".bar select").select_option("passes")
        assert overflowing_elements(page) == []
    finally:
        leave(page)


def test_the_first_visitor_may_come_by_a_link_to_this_page(chromium: Browser) -> None:
    with served() as address:
        context = chromium.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(f"{address}/compare")
        page.wait_for_selector(".row.title", timeout=90_000)
        settle(page)
        assert page.get_by_role("dialog").count() == 0
        assert page.locator("h1").inner_text() == "Compare"
        context.close()
