"""Browser tests of the attention page: opening a head, changing row and layer, leaving and coming back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import chips, follow, overflowing_elements, settle
from tests.browser.tabs import borrow, leave


@pytest.fixture
def inside(page: Page) -> Iterator[Page]:
    """Attention page after two steps on the step page."""
    for _ in range(2):
        page.get_by_role("button", name="下一步").click()
        settle(page)
    open_attention(page)
    yield page
    assert page.locator("[data-testid=stException]").count() == 0


def open_attention(page: Page) -> None:
    follow(page, "看看裡面")
    page.wait_for_selector(".pane canvas", timeout=30_000)
    settle(page)


def question(page: Page) -> str | None:
    return page.locator(".asks").text_content()


def test_it_follows_the_step_page_and_back(inside: Page) -> None:
    text = chips(inside)
    assert inside.get_by_role("textbox", name="提示").input_value() == "今天天氣真"
    assert inside.locator(".line .chips button").all_inner_texts() == text
    follow(inside, "一步一步生成")
    inside.wait_for_selector(".loop")
    settle(inside)
    assert chips(inside) == text
    inside.get_by_role("button", name="返回").click()
    settle(inside)
    open_attention(inside)
    assert inside.locator(".line .chips button").all_inner_texts() == text[:-1]


def test_a_head_opens_from_the_overview_and_stays_open(inside: Page) -> None:
    canvas = inside.locator(".pane canvas").first
    box = canvas.bounding_box()
    assert box is not None
    inside.mouse.click(box["x"] + box["width"] / 6 * 3.4, box["y"] + box["height"] / 6 * 1.4)
    settle(inside)
    assert "第 2 層第 4 個頭" in (inside.locator(".told").first.text_content() or "")
    follow(inside, "集束搜尋")
    inside.wait_for_selector(".pane .node")
    open_attention(inside)
    assert "第 2 層第 4 個頭" in (inside.locator(".told").first.text_content() or "")


def test_another_row_asks_another_question(inside: Page) -> None:
    first = question(inside)
    tokens = inside.locator(".line .chips button").all_inner_texts()
    inside.locator(".line .chips button").nth(1).click()
    settle(inside)
    assert question(inside) != first
    assert tokens[2] in (question(inside) or "")
    assert inside.locator(".line .chips button.at").all_inner_texts() == [tokens[1]]


def test_another_layer_by_click_and_by_key(inside: Page) -> None:
    inside.get_by_role("radio", name="這一層的平均").click()
    settle(inside)
    label = inside.locator(".told").first
    assert "第 1 層，" in (label.text_content() or "")
    canvas = inside.locator("canvas[role=application]")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": 60, "y": box["height"] / 6 * 3.5})
    assert "第 4 層，" in (label.text_content() or "")  # before the server has answered
    settle(inside)
    assert inside.get_by_role("radio", name="這一層的平均").is_checked()
    canvas.press("ArrowDown")
    canvas.press("ArrowDown")
    settle(inside)
    assert "第 6 層，" in (label.text_content() or "")


def test_every_view_is_drawn(inside: Page) -> None:
    for name in ("這一層的平均", "全部的平均", "注意力展開", "一個頭"):
        inside.get_by_role("radio", name=name).click()
        settle(inside)
        assert inside.locator(".arc").count() > 0


def test_an_experiment_opens_the_head_it_found(inside: Page) -> None:
    inside.get_by_role("button", name="哪個頭會找前一個詞元？").click()
    settle(inside)
    head = inside.get_by_text("它的注意力有").inner_text().split("：")[0]
    inside.get_by_role("button", name="打開這個頭").click()
    settle(inside)
    assert (inside.locator(".told").first.text_content() or "").startswith(head)
    maps = inside.locator("canvas[role=application]")
    # The overview is scrolled into view.
    inside.wait_for_function("at => at.getBoundingClientRect().top >= 0", arg=maps.element_handle())


def test_a_long_text_can_be_scrolled_zoomed_and_clicked(inside: Page) -> None:
    received: list[int] = []
    inside.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    inside.reload()  # to listen to its connection from the start
    inside.wait_for_selector(".pane canvas", timeout=30_000)
    settle(inside)
    box = inside.get_by_role("textbox", name="提示")
    box.fill("從前有一隻小貓，牠很喜歡在花園裡玩。" * 36)
    received.clear()
    box.press("Enter")
    settle(inside)
    settle(inside)
    chips_below = inside.locator(".line .chips button")
    tokens = chips_below.count()
    assert 450 <= tokens <= 512
    assert sum(received) < 2_000_000
    assert inside.get_by_text(f"文字有 {tokens} 個詞元，這裡顯示第 {tokens - 47} 到第 {tokens} 個。").is_visible()
    for _ in range(7):
        inside.get_by_role("button", name="放大").click()
    pane = inside.locator(".pane:has(> .whole)")
    canvas = pane.locator("canvas")
    across, down = pane.evaluate("p => [p.scrollLeft = p.scrollLeft - 300, p.scrollTop = p.scrollTop - 400]")
    assert min(across, down) > 1000
    seen = canvas.bounding_box()
    assert seen is not None and seen["height"] <= 560  # only the visible part is painted
    size = pane.locator(".whole").evaluate("w => w.clientHeight")
    canvas.hover(position={"x": 200, "y": 200})
    tooltip = pane.locator("+ .told").text_content() or ""
    canvas.click(position={"x": 200, "y": 200})
    settle(inside)
    settle(inside)
    row = chips_below.evaluate_all("all => all.findIndex(chip => chip.classList.contains('at'))")
    token = chips_below.nth(row).inner_text()
    assert tooltip.startswith(token) or token in tooltip
    assert row == pytest.approx((down + 200) / size * tokens, abs=4)
    assert inside.get_by_text(f"這裡顯示第 {row + 1 - 24} 到第 {row + 24} 個。").is_visible()  # of the logit lens table


def test_a_cell_of_the_lens_opens_its_list(inside: Page) -> None:
    inside.locator("[data-cell='2:1']").click()
    settle(inside)
    assert inside.locator("[data-cell='2:1'].open").count() == 1
    listed = inside.locator(".st-key-inside_cell tbody tr")
    assert listed.count() == 10
    cell = inside.locator("[data-cell='2:1'].open").inner_text().split("\n")[0]
    assert listed.first.locator("th").inner_text() == cell
    assert inside.locator(".st-key-inside_ranks tbody tr").count() == 7


@pytest.mark.parametrize("text", ["The weather today is really", "Once upon a time there was a little cat. " * 16])
def test_the_page_fits_a_phone(chromium: Browser, address: str, text: str) -> None:
    page = borrow(chromium, "en-GB", width=390, height=844)
    try:
        page.goto(f"{address}/attention")
        page.wait_for_selector(".pane canvas", timeout=30_000)
        settle(page)
        box = page.get_by_role("textbox", name="Prompt")
        box.fill(text)
        box.press("Enter")
        settle(page)
        page.get_by_text("Take each token away in turn").click()
        settle(page)
        for name in ("Which head finds", "Does it copy", "Which heads attend to the first"):
            page.get_by_role("button", name=name).click()
            settle(page)
        page.locator("[data-cell]").last.click()
        settle(page)
        assert page.locator(".parts").count() == 8
        assert page.locator(".st-key-inside_cell tbody tr").count() == 10
        assert overflowing_elements(page) == []
        assert page.locator("[data-testid=stException]").count() == 0
    finally:
        leave(page)
