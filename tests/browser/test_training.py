"""Browser tests of the training page: pasting a text, opening surprises, stepping through checkpoints, coming back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.bundled.training_history import training_history
from tests.browser.app import chart_words, chips, click_chart_bar, follow, settle

WAIT = 20_000  # milliseconds


@pytest.fixture
def training(newcomer: Page, address: str) -> Iterator[Page]:
    newcomer.goto(f"{address}/training")
    wait_for_bars(newcomer)
    yield newcomer
    assert newcomer.locator("[data-testid=stException]").count() == 0


def open_training(page: Page) -> None:
    follow(page, "它是怎麼學會的")
    wait_for_bars(page)


def wait_for_bars(page: Page) -> None:
    page.wait_for_selector(".bar .fill")
    settle(page)


def test_surprises_of_a_pasted_text_and_another_continuation(training: Page) -> None:
    training.locator("textarea").fill("今天天氣真冰箱，我們去數學散步。")
    training.get_by_role("button", name="讀一遍").click()
    expect(training.locator("button.t")).to_have_count(10, timeout=WAIT)
    settle(training)
    opened = training.locator("button.t[aria-pressed=true] .label")
    first = training.locator("button.row .token").first.inner_text()
    assert first in ("冰箱", "數學")
    expect(opened).to_have_text(first)
    training.locator("button.row").nth(1).click()
    second = training.locator("button.row .token").nth(1).inner_text()
    expect(opened).to_have_text(second, timeout=WAIT)
    settle(training)
    assert second != first and second in chart_words(training)
    training.locator("button.t", has_text="天氣").click()
    expect(opened).to_have_text("天氣", timeout=WAIT)
    settle(training)
    other = click_chart_bar(training, 1)
    training.wait_for_selector(".loop")
    settle(training)
    assert chips(training) == ["今天", other]
    open_training(training)
    assert training.locator("textarea").input_value() == "今天天氣真冰箱，我們去數學散步。"
    expect(opened).to_have_text("天氣", timeout=WAIT)


def test_the_names_at_the_ends_of_the_lines_do_not_touch(training: Page) -> None:
    for prompt in ("ChatGPT 是", "今天天氣真好，"):
        chooser = training.get_by_role("combobox").last
        chooser.click()
        chooser.fill(prompt)
        chooser.press("Enter")
        settle(training)
        names = training.locator("svg[role=img]").first.locator(".name")
        expect(names).to_have_count(5)
        found = [name.bounding_box() for name in names.all()]
        boxes = sorted((box["y"], box["y"] + box["height"]) for box in found if box)
        assert len(boxes) == 5
        assert all(below[0] >= above[1] - 1 for above, below in itertools.pairwise(boxes)), (prompt, boxes)


def test_the_slider_steps_through_the_checkpoints(training: Page) -> None:
    moments = training_history().checkpoints
    probability = moments[-1].top_tokens["今天天氣真"][0][1]
    value = training.locator(".bar.winner .value")
    assert value.inner_text().startswith(f"{probability * 100:.0f}%")
    slider = training.locator(".stepper input")
    slider.press("Home")
    assert "第 0 " in training.locator(".where").inner_text()
    assert training.locator(".bar.winner:visible").count() == 0
    slider.press("ArrowRight")
    training.wait_for_timeout(700)
    settle(training)
    follow(training, "一步一步生成")
    training.wait_for_selector(".loop")
    open_training(training)
    expect(training.locator(".where")).to_contain_text(f"第 {moments[1].step} ", timeout=WAIT)
