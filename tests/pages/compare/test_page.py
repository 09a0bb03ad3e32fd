"""The compare page without a browser: the bundled model, every control that Streamlit's own test driver can move."""

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


def comparison_of(app: AppTest) -> CompareState:
    found = state_of(app, CompareState)
    assert isinstance(found, CompareState)
    return found


def test_the_page_says_what_to_do_and_does_it(app: AppTest) -> None:
    assert app.text_input(key="compare_prompt").value == "今天天氣真"
    assert any("開始比" in caption.value for caption in app.caption)
    app.button(key="compare_start").click().run()
    assert not app.exception
    assert len(comparison_of(app).finished) == 8
    assert any("最可能" in markdown.value for markdown in app.markdown)


def test_results_are_there_after_another_page(app: AppTest) -> None:
    app.button(key="compare_start").click().run()
    entries = comparison_of(app).entries
    app.switch_page(navigation.path("step")).run()
    app.switch_page(navigation.path("compare")).run()
    assert comparison_of(app).entries is entries
    assert app.slider(key="compare_tokens").value == 4
    assert any("最可能" in markdown.value for markdown in app.markdown)
    assert not app.exception


@pytest.mark.parametrize("bad", ["", "  ", "字" * 20_001, "今天天氣真好。" * 400], ids=range(4))
def test_a_bad_prompt_is_explained_and_the_results_stay(app: AppTest, bad: str) -> None:
    app.button(key="compare_start").click().run()
    entries = comparison_of(app).entries
    app.text_input(key="compare_prompt").set_value(bad).run()
    app.button(key="compare_start").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.text_input(key="compare_prompt").value == bad
    assert comparison_of(app).entries is entries
    app.text_input(key="compare peaked zh_Hant").set_value(bad).run()
    assert len(app.error) == 2
    assert not app.exception


def test_settings_reach_the_question_and_a_change_is_told(app: AppTest) -> None:
    app.button(key="compare_start").click().run()
    app.slider(key="compare top_k").set_value(200)
    app.slider(key="compare top_p").set_value(0.5)
    app.number_input(key="compare_seed").set_value(40).run()
    question = comparison_of(app).question
    assert dict(question.values)["top_k"] == 200
    assert (dict(question.values)["top_p"], question.seeds) == (0.5, (40, 41))
    assert any("再按一次" in caption.value for caption in app.caption)
    app.button(key="compare_start").click().run()
    assert comparison_of(app).answered == replace(question, prompt="今天天氣真")
    assert not any("再按一次" in caption.value for caption in app.caption)


def test_a_prompt_begun_on_the_step_page_comes_along(app: AppTest) -> None:
    app.switch_page(navigation.path("step")).run()
    app.button(key="example 人工智能是").click().run()
    app.switch_page(navigation.path("compare")).run()
    assert app.text_input(key="compare_prompt").value == "人工智能是"


def test_both_languages_and_nothing_lost_between_them(app: AppTest) -> None:
    app.button(key="compare_start").click().run()
    entries = comparison_of(app).entries
    app.session_state["lang"] = "en"
    app.run()
    assert app.title[0].value == "Compare"
    assert comparison_of(app).entries is entries
    assert any("Most probable" in markdown.value for markdown in app.markdown)
    assert not app.exception
