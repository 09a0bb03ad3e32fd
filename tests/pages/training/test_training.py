"""Training page: component data against the score and the training history; bad input, other models."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine.bundled.training_history import training_history
from engine.model.chunked_prefill import CHUNK
from engine.model.loading import load
from engine.model.model import Model
from engine.serving import model_registry
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.training import scored_text, shifted_text, surprises
from pages.training import training_history as history_view
from pages.training.state import TrainingState
from tests import tiny
from tests.pages.visit import state_of, visit
from tests.passes import counted_passes

LANGUAGES = ("zh_Hant", "en")
T = Translator("en")
TEXT = "今天天氣真好, the cat sat on the mat"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_is_the_score(language: str, model: Model) -> None:
    t = Translator(language)
    ids = model.encode(TEXT)
    score = model.score(ids)
    data = scored_text.data(model, score, 3, 7, t)
    for fact, value, rank in zip(data["facts"], score.log_probabilities, score.ranks, strict=True):
        if value is None:
            assert fact[:2] == [None, ""]
        else:
            assert fact[0] == pytest.approx(-value, abs=1e-4)
            assert t.percent(math.exp(value)) in fact[2] and f"{rank:,}" in fact[2]
    assert [row[1] for row in data["numbers"]][:2] == [str(len(ids) - 1), t.number(score.loss, 2)]
    table = scored_text.table(model, score, t)
    assert [row[2] for row in table] == model.pieces(ids)
    for row, value, rank in zip(table, score.log_probabilities, score.ranks, strict=True):
        cells = ["–"] * 3 if value is None else [t.percent(math.exp(value)), f"{rank:,}", t.number(-value, 3)]
        assert row[3:] == cells


@pytest.mark.parametrize("language", LANGUAGES)
def test_surprises_name_the_expected_token(language: str, model: Model) -> None:
    ids = model.encode(TEXT)
    score = model.score(ids)
    rows = surprises.data(model, score, None, 0, Translator(language))["rows"]
    ascending = sorted(value for value in score.log_probabilities if value is not None)
    assert [score.log_probabilities[row[0]] for row in rows] == ascending[: surprises.MAX_ROWS]
    labels = model.pieces(ids)
    for at, before, token, _, expected in rows:
        distribution = model.distribution(ids[:at])
        assert token == labels[at] and before.endswith(labels[at - 1])
        assert (expected == "") == (distribution.argmax() == ids[at])
        assert expected == "" or distribution.candidate(distribution.argmax()).text in expected


def test_shifted_by_one(model: Model) -> None:
    ids = model.encode(TEXT)
    score = model.score(ids)
    labels = model.pieces(ids)
    for around in range(1, len(ids)):
        pairs = shifted_text.input_target_pairs(model, score, around, T)
        assert len(pairs) == shifted_text.MAX_PAIRS
        assert labels[around] in [target for _, target, _ in pairs]
        assert all((a, b) in itertools.pairwise(labels) for a, b, _ in pairs)
    two = model.score(ids[:2])
    assert [pair[:2] for pair in shifted_text.input_target_pairs(model, two, 1, T)] == [model.pieces(ids[:2])]
    assert shifted_text.input_target_pairs(model, model.score(ids[:1]), 1, T) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_training_history_is_passed_on_unchanged(language: str) -> None:
    bundled, history = model_registry.request().result(), training_history()
    for prompt in history.prompts:
        data = history_view.data(history, bundled, prompt, 0, Translator(language))
        assert [moment[:2] for moment in data["moments"]] == [[m.step, m.loss] for m in history.checkpoints]
        for _, _, top, others in data["moments"]:
            assert sum(p for _, p in top) + others == pytest.approx(1, abs=1e-3)
            assert all(data["words"][str(token_id)] for token_id, _ in top)
        assert data["lines"][0][0] == history.checkpoints[-1].top_tokens[prompt][0][0]
        assert data["lines"][0][1][-1] == history.checkpoints[-1].top_tokens[prompt][0][1]
    assert data["chance"] == pytest.approx(math.log(bundled.vocabulary.size))


def test_moves_that_are_out_of_date_or_impossible_do_nothing(model: Model) -> None:
    session, state = TextState(model_name=model.name), TrainingState()
    state.update_text(model, TEXT)
    ids, least_expected = state.ids, state.position(model)
    for turn, at in ((state.turn - 1, 1), (state.turn, 0), (state.turn, -1), (state.turn, len(ids))):
        state.open_position(turn, at)
    assert state.position(model) == least_expected
    state.open_position(state.turn, 2)
    assert state.position(model) == 2
    state.load_text(model, "")
    assert (state.ids, state.problem and state.problem.code) == (ids, "empty")
    assert not state.continue_with(session, model, state.turn - 1, 5)
    assert not state.continue_with(session, model, state.turn, model.vocabulary.size)
    assert session.trace is None
    assert state.continue_with(session, model, state.turn, 5)
    assert session.trace is not None
    assert session.trace.token_ids() == (*ids[:2], 5) and session.prompt == model.text(ids[:2])
    state.select_checkpoint(-1, 3)
    state.select_checkpoint(3, 3)
    assert state.checkpoint is None


def page(language: str) -> AppTest:
    return visit("training", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_scored_or_refused_with_a_reason(language: str) -> None:
    app = page(language)
    state = state_of(app, TrainingState)
    assert not app.exception and not app.error and len(state.ids) > 10
    app.text_area(key="training_text").set_value("今天天氣真好。").run()
    ids = state.ids
    assert model_registry.request().result().text(ids) == "今天天氣真好。"
    for bad in ("", "  ", "字" * 20_001, "今天天氣真好。" * 400):
        app.text_area(key="training_text").set_value(bad).run()
        assert len(app.error) == 1 and not app.exception
        assert state.ids == ids and app.text_area(key="training_text").value == bad
    app.text_area(key="training_text").set_value("好").run()
    assert len(app.info) == 1 and not app.error and not app.exception
    for odd in ("\0\x1b", "👩‍👩‍👧🇹🇼", "<b>*hi*</b> $x$ :cat:"):
        app.text_area(key="training_text").set_value(odd).run()
        assert not app.error and not app.exception and not app.info


def test_text_and_prompt_survive_a_visit_to_another_page() -> None:
    app = page("en")
    app.text_area(key="training_text").set_value("the sky is blue").run()
    app.selectbox(key="training_prompt").set_value("語言模型是").run()
    app.switch_page(navigation.path("step")).run()
    app.switch_page(navigation.path("training")).run()
    assert app.text_area(key="training_text").value == "the sky is blue"
    assert app.selectbox(key="training_prompt").value == "語言模型是"
    assert model_registry.request().result().text(state_of(app, TrainingState).ids) == "the sky is blue"
    assert not app.exception


def test_another_model_has_no_training_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.build("gpt2", tmp_path / "gpt2")
    monkeypatch.setenv("ENGINE_MODELS", f"{tmp_path}/*")
    app = page("en")
    state_of(app, TextState).choose_model(str(folder))
    app.run()
    assert not app.exception
    t = Translator("en")
    assert not app.info and t("training.learned.title") not in [heading.value for heading in app.subheader]
    assert t("training.learned.other") in [caption.value for caption in app.main.caption]


def test_a_demo_accepts_only_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    app = page("en")
    t = Translator("en")
    assert app.text_area(key="training_text").disabled
    for name, text in zip(t.list("training.examples.names"), t.list("training.examples.texts"), strict=True):
        app.button(key=f"training example {name}").click().run()
        assert not app.error and not app.exception
        assert state_of(app, TrainingState).text == text == app.text_area(key="training_text").value


def test_a_long_text_is_read_in_parts_and_a_stop_keeps_what_is_read(tmp_path: Path) -> None:
    model = load(tiny.build("qwen2", tmp_path))
    state, text = TrainingState(), "the sky is blue and so is the big cat; 龘龘龘龘龘龘龘龘龘龘"
    with counted_passes(model) as passes:
        state.load_text(model, text)
        state.stop()  # before it began: nothing to stop
        assert CHUNK < len(state.ids) < tiny.CONTEXT
        assert not state.stopped and state.work(model, 0)
        assert len(passes) == 1 and passes[0] < len(state.ids)
        state.stop()
        assert not state.work(model, 1)
        score, at = state.score(model), state.position(model)
        assert len(passes) == 1 and state.stopped
        assert at is not None and at < len(score.token_ids) < len(state.ids)
        state.open_position(state.turn, len(state.ids) - 1)  # a click from before
        assert state.position(model) == at
        state.load_text(model, text)
        progress = [0.0]
        while state.work(model, 0):
            progress.append(state.scoring(model).progress)
        assert progress == sorted(set(progress))
        assert sum(passes) == len(state.ids) and len(passes) >= len(progress)
    np.testing.assert_allclose(
        np.array(state.score(model).log_probabilities[1:], float),
        np.array(load(tmp_path).score(state.ids).log_probabilities[1:], float), atol=1e-3,
    )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_stopped_while_it_reads_the_page_shows_what_is_read(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(language)
    state, model, t = state_of(app, TrainingState), model_registry.request().result(), Translator(language)
    for chunks, kept, sentence in ((0, 1, "the sky is blue today. "), (1, CHUNK + 1, "Zebras drink tea. ")):
        state.load_text(model, sentence * 20)
        scoring = state.scoring(model)
        for _ in range(chunks):
            scoring.step()
        state.stop()
        app.run()
        assert not app.exception and not app.info and len(state.ids) > kept
        expected = t("training.stopped", count=str(kept), total=str(len(state.ids)))
        assert expected in [caption.value for caption in app.caption]
    app.button(key="training_start").click().run()
    assert not app.exception and not state.stopped and state.score(model).token_ids == state.ids
