"""Tests of the step page with the bundled model in Streamlit's test driver, without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import bundled
from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.step import search_results
from tests.pages.visit import component_data, move, run_to_the_end, state_of, visit


@pytest.fixture
def app() -> AppTest:
    return visit()


def session(app: AppTest) -> TextState:
    return state_of(app, TextState)


def text(app: AppTest) -> str:
    trace = session(app).trace
    assert trace is not None
    return model_registry.request().result().text(trace.token_ids())


def test_it_opens_with_the_running_example(app: AppTest) -> None:
    assert not app.exception
    assert text(app) == "今天天氣真"


def test_buttons_step_back_and_restart(app: AppTest) -> None:
    move(app, "next")
    move(app, "next")
    two = text(app)
    assert two.startswith("今天天氣真")
    move(app, "back")
    assert len(text(app)) < len(two)
    move(app, "restart")
    assert text(app) == "今天天氣真"
    assert not app.exception


def test_a_run_writes_until_it_ends(app: AppTest) -> None:
    app.slider(key="run_tokens").set_value(3).run()
    run_to_the_end(app)
    assert not app.exception
    trace = session(app).trace
    assert trace is not None
    assert len(trace.choices) == trace.prompt_length + 3 or session(app).stopped == "end"


def test_the_buttons_are_widgets_under_their_keys_too(app: AppTest) -> None:
    """Programs press them without a browser."""
    app.button(key="next").click().run()
    other = visit()
    move(other, "next")
    assert text(app) == text(other) != "今天天氣真"
    app.button(key="back").click().run()
    assert text(app) == "今天天氣真"
    app.slider(key="run_tokens").set_value(3).run()
    app.button(key="run").click().run()
    run_to_the_end(other)
    assert text(app).startswith("今天天氣真") and not session(app).running and session(app).stopped
    app.button(key="restart").click().run()
    assert text(app) == "今天天氣真" and not app.exception


def test_an_example_begins_anew(app: AppTest) -> None:
    move(app, "next")
    app.button(key="example 人工智能是").click().run()
    assert text(app) == "人工智能是"
    assert app.text_area(key="prompt").value == "人工智能是"


def test_english_begins_with_an_english_example() -> None:
    assert text(visit(language="en")) == "The weather today is"


@pytest.mark.parametrize("bad", ["", "  ", "字" * 20_001, "今天天氣真好。" * 400])
def test_a_bad_prompt_is_explained_and_stays_in_its_box(app: AppTest, bad: str) -> None:
    app.text_area(key="prompt").set_value(bad).run()
    assert len(app.error) == 1
    assert not app.exception
    assert app.text_area(key="prompt").value == bad
    assert text(app) == "今天天氣真"


def test_every_setting_reaches_the_model_and_keeps_the_text(app: AppTest) -> None:
    move(app, "next")
    before = text(app)
    settings = {
        "temperature": 0.3, "top_k": 7, "top_p": 0.6, "min_p": 0.05, "typical_p": 0.7, "repetition_penalty": 1.2,
        "no_repeat_ngram_size": 2,
    }  # fmt: skip
    for name, value in settings.items():
        app.slider(key=name).set_value(value).run()
    app.number_input(key="seed").set_value(99).run()
    assert not app.exception
    assert session(app).settings == Settings(**settings)  # type: ignore[arg-type]
    assert session(app).seed == 99
    assert text(app) == before


def test_temperature_zero_and_greedy_take_the_likeliest(app: AppTest) -> None:
    model = model_registry.request().result()
    argmax = model.distribution(model.encode("今天天氣真")).argmax()
    app.slider(key="temperature").set_value(0.0).run()
    move(app, "next")
    assert text(app) == "今天天氣真" + model.text([argmax])


def test_both_languages_and_nothing_lost_between_them(app: AppTest) -> None:
    move(app, "next")
    before, title = text(app), app.title[0].value
    app.session_state["lang"] = "zh_Hant" if title == "One token at a time" else "en"
    app.run()
    assert {title, app.title[0].value} == {"One token at a time", "一步一步生成"}
    assert text(app) == before


def test_only_what_the_host_allows_is_loaded(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_MODELS", "org/*")
    session(app).choose_model("../elsewhere")
    app.run()
    assert len(app.error) == 1
    assert session(app).model_name == bundled.BUNDLED_NAME
    assert text(app) == "今天天氣真"


def test_a_model_that_does_not_exist_is_explained(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENGINE_MODELS", f"{tmp_path}/*")
    session(app).choose_model(str(tmp_path / "nothing here"))
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert session(app).model_name == bundled.BUNDLED_NAME


@pytest.mark.parametrize("query", ["雨", "a", "th", "壞", "，", "#17", "不存在的字"])
def test_what_the_search_finds_stands_by_rank(query: str) -> None:
    """The most probable of all matching tokens, in order, and the best match even where others are more probable."""
    model = model_registry.request().result()
    distribution = model.distribution(model.encode("今天天氣真"))
    found = search_results.most_probable(model.vocabulary, query, distribution)
    ranks = [distribution.candidate(i).rank for i in found]
    assert ranks == sorted(ranks)
    matches = model.vocabulary.search(query, model.vocabulary.size)
    assert set(found) <= set(matches)
    assert len(found) == min(len(matches), search_results.MAX_RESULTS)
    left_out = [float(distribution.raw[i]) for i in matches if i not in found]
    best = matches[:1]
    assert set(best) <= set(found)
    others = [float(distribution.raw[i]) for i in found if i not in best]
    assert not left_out or max(left_out) <= min(others)


def test_the_search_box_lists_its_results_by_rank() -> None:
    app = visit(language="en", search="a")
    [found] = [e.proto for e in app.get("bidi_component") if e.proto.id.endswith("-found")]
    ranks = [int(rank.replace(",", "")) for rank in re.findall(r"rank ([\d,]+)", found.json)]
    assert len(ranks) == search_results.MAX_RESULTS
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_after_the_end_the_calculation_tells_of_no_draw(language: str) -> None:
    app = visit(language=language)
    model, state = model_registry.request().result(), session(app)
    state.pick(model, state.turn, min(model.end_ids))
    app.run()
    [sums] = [component_data(e.proto) for e in app.get("bidi_component") if e.proto.id.endswith("-sums")]
    assert sums["u"] is None
    assert sums["labels"]["draw"] == Translator(language)("sums.ended")
    assert all(row[0] != "pick" for row in sums["rows"])
