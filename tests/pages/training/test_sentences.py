"""Sentences and numbers of the training page for any log-probabilities: finite, readable, true of one another."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bundled.training_history import training_history
from engine.model.model import Model
from engine.model.score import Score
from engine.serving import model_registry
from engine.training.history import read_prompts
from pages.i18n.translator import LANGUAGES, Translator
from pages.training import scored_text, shifted_text, surprises
from pages.training import training_history as history_view
from tests.pages.sentences import assert_well_formed, number, which

T = {language: Translator(language) for language in LANGUAGES}
languages = st.sampled_from(list(T))
log_probabilities = st.sampled_from([0.0, 1e-7, -1e-7, -0.05, -0.005, -750.0, -5e4, -math.inf]) | st.floats(-30, 0)


def score_of(model: Model, values: list[float]) -> Score:
    """A score with these log-probabilities, over the first tokens of the vocabulary."""
    ids = tuple(range(40, 41 + len(values)))
    return Score(ids, (None, *values), (None, *(2 for _ in values)))


def probability(text: str) -> float:
    """Value of a displayed probability, in English."""
    text = text.replace("\xa0", " ")
    if text.startswith("under"):
        return 1e-15
    if text.startswith("1 in "):
        return 1 / number(text[5:])
    return number(text.removesuffix("%")) / 100


@given(values=st.lists(log_probabilities, max_size=6), language=languages)
def test_numbers_of_any_score(model: Model, values: list[float], language: str) -> None:
    t, score = T[language], score_of(model, values)
    data = scored_text.data(model, score, None, 0, t)
    pairs = shifted_text.input_target_pairs(model, score, 1, t)
    json.dumps([data, pairs], allow_nan=False)
    for name, value, explanation in data["numbers"]:
        assert name and explanation
        assert_well_formed(value)
    told = dict(zip(("predicted", "loss", "perplexity", "bits"), (row[1] for row in data["numbers"]), strict=True))
    assert int(told["predicted"]) == len(values)
    mean = -math.fsum(values) / len(values) if values else 0.0
    assert number(told["loss"]) == pytest.approx(mean, abs=0.0051)
    expected = math.exp(mean) if mean < 700 else math.inf
    assert number(told["perplexity"]) == pytest.approx(expected, abs=0.051, rel=1e-9)
    for value, fact, pair in zip(values, data["facts"][1:], pairs, strict=True):
        assert_well_formed(fact[2])
        assert number(fact[1]) == number(pair[2]) == pytest.approx(-value, abs=0.051)


@given(value=log_probabilities)
def test_probability_and_loss_of_a_row_say_the_same(model: Model, value: float) -> None:
    row = scored_text.table(model, score_of(model, [value]), T["en"])[1]
    p, loss = probability(str(row[3])), number(str(row[5]))
    if p == 0:
        assert loss == math.inf, "0 % is never said of a token that is possible"
    elif p > 1e-15:
        assert math.exp(-loss) == pytest.approx(p, rel=0.06, abs=1e-4)
    else:
        assert loss > 34


@given(values=st.lists(log_probabilities, min_size=1, max_size=4), language=languages)
def test_what_the_positions_are_for(model: Model, values: list[float], language: str) -> None:
    line = scored_text.explanation(score_of(model, values), T[language])
    assert_well_formed(line)
    name, shown = which(line, "training", ("why", "why_one"), language)
    assert (name == "why_one") == (len(values) == 1)
    assert name == "why_one" or int(shown["predicted"]) == len(values)
    assert number(shown["loss"]) == pytest.approx(-math.fsum(values) / len(values), abs=0.0051)


@given(ids=st.lists(st.integers(3, 200), min_size=2, max_size=10), language=languages)
def test_another_token_was_expected_where_it_is_no_less_probable(model: Model, ids: list[int], language: str) -> None:
    rows = surprises.data(model, model.score(ids), None, 0, T[language])["rows"]
    assert len(rows) == min(len(ids) - 1, surprises.MAX_ROWS)
    shown: list[float] = []
    for at, _, _, told, expected in rows:
        assert_well_formed(told)
        raw = model.distribution(ids[:at]).raw
        assert bool(expected) == (int(raw.argmax()) != ids[at])
        shown.append(float(re.findall(r"[\d.]+$", told)[0]))
        if expected and language == "en":
            own, best = told.split(", rank")[0].removeprefix("probability "), expected.rsplit("(", 1)[1].rstrip(")")
            assert probability(best) >= probability(own)
    assert shown == sorted(shown, reverse=True), "the greatest surprises first"


def test_the_record_of_the_training_says_what_it_holds() -> None:
    model, history = model_registry.request().result(), training_history()
    losses = [moment.loss for moment in history.checkpoints if moment.loss is not None]
    assert min(losses) == losses[-1], "training.learned.honest"
    assert history.top == 20, "training.learned.missing"
    for prompt in history.prompts:
        data: Any = history_view.data(history, model, prompt, 0, T["en"])
        assert len(data["lines"]) == 5, "training.learned.lines"
        assert all(len(top) == history_view.BARS for _, _, top, _ in data["moments"])
        _, recorded, now = history_view.final_prediction(history, model, prompt)
        assert now == pytest.approx(recorded, abs=0.02), "a small difference: training.learned.now"


def test_an_english_reader_begins_with_an_english_prompt_or_is_told_why_not() -> None:
    t, recorded = Translator("en"), training_history().prompts
    for prompts in (recorded, tuple(read_prompts()), ("ChatGPT 是", "Once upon a")):
        english = [prompt for prompt in prompts if prompt.isascii() and " " in prompt]
        first, sentence = history_view.first_prompt(prompts, t), history_view.languages(prompts, t)
        assert first in prompts
        if english:
            assert "in English, some in Chinese" in sentence
        else:
            assert "None of them is in English" in sentence and f"“{first}” means" in sentence
    assert history_view.first_prompt(read_prompts(), t).isascii()
    assert history_view.first_prompt(("你好",), t) == "你好"
    for prompts in (recorded, tuple(read_prompts())):
        assert history_view.first_prompt(prompts, Translator("zh_Hant")) == "今天天氣真"
