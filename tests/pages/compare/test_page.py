"""Tests of the compare page with the bundled model in Streamlit's test driver, without a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pages.compare.state import CompareState
from pages.shell import navigation
from tests.pages.visit import state_of, visit


@pytest.fixture
def app() -> AppTest:
    driver = visit("compare")
    driver.slider(key="compare_tokens").set_value(4)
    return driver.slider(key="compare_seeds").set_value(2).run()


def compare_state(app: AppTest) -> CompareState:
    return state_of(app, CompareState)


def test_the_page_says_what_to_do_and_does_it(app: AppTest) -> None:
    assert app.text_area(key="compare_prompt").value == "今天天氣真"
    assert any("開始比" in caption.value for caption in app.caption)
    app.button(key="compare_start").click().run()
    assert not app.exception
    assert len(compare_state(app).finished) == 8
    assert any("最可能" in markdown.value for markdown in app.markdown)


def test_results_are_there_after_another_page(app: AppTest) -> None:
    app.button(key="compare_start").click().run()
    runs = compare_state(app).runs
    app.switch_page(navigation.path("step")).run()
    app.switch_page(navigation.path("compare")).run()
    assert compare_state(app).runs is runs
    assert app.slider(key="compare_tokens").value == 4
    assert any("最可能" in markdown.value for markdown in app.markdown)
    assert not app.exception


@pytest.mark.parametrize("bad", ["", "  ", "字" * 20_001, "今天天氣真好。" * 400], ids=range(4))
def test_a_bad_prompt_is_explained_and_the_results_stay(app: AppTest, bad: str) -> None:
    app.button(key="compare_start").click().run()
    runs = compare_state(app).runs
    app.text_area(key="compare_prompt").set_value(bad).run()
    app.button(key="compare_start").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.text_area(key="compare_prompt").value == bad
    assert compare_state(app).runs is runs
    app.text_area(key="compare peaked zh_Hant").set_value(bad).run()
    assert len(app.error) == 2
    assert not app.exception


def test_settings_reach_the_question_and_a_change_is_told(app: AppTest) -> None:
    app.button(key="compare_start").click().run()
    app.slider(key="compare top_k").set_value(200)
    app.slider(key="compare top_p").set_value(0.5)
    app.number_input(key="compare_seed").set_value(40).run()
    settings = compare_state(app).settings
    assert dict(settings.values)["top_k"] == 200
    assert (dict(settings.values)["top_p"], settings.seeds) == (0.5, (40, 41))
    assert any("再按一次" in caption.value for caption in app.caption)
    app.button(key="compare_start").click().run()
    assert compare_state(app).run_settings == replace(settings, prompt="今天天氣真")
    assert not any("再按一次" in caption.value for caption in app.caption)


def test_a_prompt_begun_on_the_step_page_comes_along(app: AppTest) -> None:
    app.switch_page(navigation.path("step")).run()
    app.button(key="example 人工智能是").click().run()
    app.switch_page(navigation.path("compare")).run()
    assert app.text_area(key="compare_prompt").value == "人工智能是"


def test_both_languages_and_nothing_lost_between_them(app: AppTest) -> None:
    app.button(key="compare_start").click().run()
    runs = compare_state(app).runs
    app.session_state["lang"] = "en"
    app.run()
    assert app.title[0].value == "Compare"
    assert compare_state(app).runs is runs
    assert any("Most probable" in markdown.value for markdown in app.markdown)
    assert not app.exception
