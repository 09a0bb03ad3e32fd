"""One prompt through every strategy: what a visitor can do with it, and what is told of it."""

from __future__ import annotations

import doctest
import itertools
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from engine.decoding.strategies import STRATEGIES
from engine.model.model import Model
from pages.compare import filter_size_chart, scatter_chart, summary, text_rows
from pages.compare.state import CompareSettings, CompareState
from pages.components import text_table
from pages.i18n.translator import Translator, sentences
from pages.session.text_state import TextState

T = Translator("en")
ASKED = CompareSettings(prompt="the cat", seeds=(3, 4), max_new_tokens=8)


def asked(model: Model, **changes: object) -> CompareState:
    comparison = CompareState(question=replace(ASKED, **changes))  # type: ignore[arg-type]
    comparison.ready(model)
    comparison.start(model)
    return comparison


def answered(model: Model, **changes: object) -> CompareState:
    comparison = asked(model, **changes)
    while comparison.work(model, 1.0):
        pass
    return comparison


def test_every_strategy_answers_with_every_seed(model: Model) -> None:
    comparison = answered(model)
    assert [entry.strategy for entry in comparison.finished] == list(STRATEGIES)
    for entry in comparison.entries:
        assert [text.seed for text in entry.together.texts] == ([3, 4] if entry.strategy.draws else [None])
        assert all(text.stop for text in entry.together.texts)
    assert comparison.progress == 1
    assert not comparison.work(model, 1.0)


def test_work_is_done_in_pieces(model: Model) -> None:
    comparison = asked(model)
    seen = [comparison.progress]
    while comparison.work(model, 0.001):
        seen.append(comparison.progress)
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert seen[0] == 0


def test_what_is_done_stays_when_a_person_stops_it(model: Model) -> None:
    comparison = asked(model, max_new_tokens=30)
    while len(comparison.entries) < 4:
        comparison.work(model, 0.0005)
    before = [[text.token_ids for text in entry.together.texts] for entry in comparison.entries]
    comparison.stop()
    assert not comparison.work(model, 1.0)
    assert [[text.token_ids for text in entry.together.texts] for entry in comparison.entries] == before
    assert len(comparison.finished) >= 3
    told = text_rows.rows(comparison, model, T)["groups"]
    assert [bool(group["texts"]) for group in told] == [i < len(before) for i in range(8)]
    assert told[-1]["status"] == T("compare.not_begun")
    assert len(scatter_chart.points(comparison, T)) <= len(comparison.finished), "what was cut short is not compared"


@pytest.mark.parametrize("prompt", ["", " \n", "a" * 20_001, "好" * 64, "\ud83d"], ids=range(5))
def test_a_prompt_that_cannot_be_read_loses_nothing(model: Model, prompt: str) -> None:
    comparison = answered(model)
    entries, turn = comparison.entries, comparison.turn
    comparison.question = replace(comparison.question, prompt=prompt)
    comparison.start(model)
    assert comparison.problem is not None
    assert f"error.{comparison.problem.code}" in sentences("en")
    assert (comparison.entries, comparison.turn, comparison.running) == (entries, turn, False)
    comparison.question = replace(comparison.question, prompt="the dog")
    comparison.start(model)
    assert (comparison.problem, comparison.running) == (None, True)


def test_a_prompt_with_room_for_one_token_gets_one(model: Model) -> None:
    prompt = "好" * 21  # three tokens each
    assert len(model.read_prompt(prompt)) == model.context_length - 1
    comparison = answered(model, prompt=prompt)
    assert {len(text.token_ids) for entry in comparison.finished for text in entry.together.texts} == {1}
    assert summary.sentences(comparison, T)
    assert text_rows.rows(comparison, model, T)["groups"][0]["texts"][0]["numbers"]["distinct_2"] == [None, "–"]


def test_a_strategy_that_cannot_be_carried_out_says_why_and_the_others_go_on(model: Model) -> None:
    wide = (("beam", 10_000), *((name, value) for name, value in ASKED.values if name != "beam"))
    comparison = answered(model, values=wide)
    beam = text_rows.rows(comparison, model, T)["groups"][1]
    problem = comparison.entries[1].problem
    assert problem is not None and beam["status"] == "This number must be from 1 to 64."
    assert [entry.strategy.name for entry in comparison.finished] == [
        way.name for way in STRATEGIES if way.name != "beam"
    ]


def test_another_model_forgets_the_answers(model: Model) -> None:
    comparison = answered(model)
    other = Model("other", model.vocabulary, model.prefix_cache, model.context_length, model.end_ids)
    comparison.ready(other)
    assert (comparison.entries, comparison.answered) == ([], None)
    assert not comparison.take(TextState(), other, comparison.turn, 0, 0)


@pytest.mark.parametrize("at", range(len(STRATEGIES)), ids=[way.name for way in STRATEGIES])
def test_a_text_is_taken_and_the_model_would_choose_the_same_again(model: Model, at: int) -> None:
    comparison, session = answered(model), TextState(prompt="天氣", model_name=model.name)
    session.ready(model)
    last = len(comparison.entries[at].together.texts) - 1
    assert comparison.take(session, model, comparison.turn, at, last)
    text, trace = comparison.entries[at].together.texts[last], session.ready(model)
    assert trace.token_ids() == (*comparison.ids, *text.token_ids)
    assert (session.prompt, trace.prompt_length) == ("the cat", len(comparison.ids))
    way = STRATEGIES[at]
    expected = "hand" if way.name == "beam" else "drawn" if way.draws else "greedy"
    assert {choice.how for choice in trace.choices[trace.prompt_length :]} == {expected}
    if way.name != "beam":
        session.go_to(model, session.turn, trace.prompt_length - 1)
        for token_id in text.token_ids:
            session.step(model)
            assert session.ready(model).token_ids()[-1] == token_id
    assert session.ready(model).choices == trace.choices


def test_a_text_of_the_prompt_on_the_table_is_one_more_way(model: Model) -> None:
    comparison, session = answered(model), TextState(prompt="the cat", model_name=model.name)
    session.step(model)
    session.pick(model, session.turn, 17)
    before = session.ready(model).choices
    assert comparison.take(session, model, comparison.turn, 2, 0)
    after = session.ready(model)
    assert [(c.parent, c.token_id) for c in after.choices[: len(before)]] == [(c.parent, c.token_id) for c in before]
    assert after.token_ids() == (*comparison.ids, *comparison.entries[2].together.texts[0].token_ids)


@pytest.mark.parametrize(("turn", "entry", "text"), [(-1, 0, 0), (0, 99, 0), (0, 0, 5), (0, -1, 0)])
def test_a_click_that_is_out_of_date_takes_nothing(model: Model, turn: int, entry: int, text: int) -> None:
    comparison, session = answered(model), TextState(prompt="天氣", model_name=model.name)
    before = session.ready(model)
    assert not comparison.take(session, model, comparison.turn + turn, entry, text)
    assert session.ready(model) is before


def test_chips_say_every_token_once_and_mark_what_stood_before(model: Model) -> None:
    comparison = answered(model, prompt="天氣", values=tuple(ASKED.values), max_new_tokens=30)
    for entry in comparison.entries:
        for text in entry.together.texts:
            made = text_table.chips(model, comparison.ids, text, T)
            assert sum(len(parts) for _, parts, *_ in made) == len(text.token_ids)
            assert all(0 <= p <= 1 for _, parts, *_ in made for p in parts)
            assert "\ufffd" not in "".join(read for read, *_ in made)
    text = replace(text, token_ids=(70, 71, 72, 73, 70, 71, 72, 73), log_probabilities=(-1.0,) * 8)
    assert [repeated for *_, repeated, _ in text_table.chips(model, comparison.ids, text, T)] == [
        0,
        0,
        0,
        0,
        2,
        1,
        1,
        1,
    ]


def test_the_sentences_name_the_highest_and_those_that_are_equal_together(model: Model) -> None:
    comparison = answered(model, values=tuple({**dict(ASKED.values), "top_p": 1.0, "typical_p": 1.0}.items()))
    told = summary.sentences(comparison, T)
    found = {text_rows.name(e.strategy, e.value, T): e.measures(2) for e in comparison.finished}
    assert found["top-p 1"] == found["typical 1"] == found["Pure sampling"]
    for sentence, measure in zip(told, ("per_token", "distinct_2"), strict=False):
        best = max(getattr(m, measure) for m in found.values())
        for name, measures in found.items():
            assert (name in sentence) == (getattr(measures, measure) == best)
    assert len(told) == 3


def test_nothing_is_told_of_one_alone(model: Model) -> None:
    comparison = asked(model)
    while not comparison.finished:
        comparison.work(model, 0.0005)
    comparison.stop()
    assert len(comparison.finished) == 1
    assert summary.sentences(comparison, T) == []


def test_marks_stand_where_the_measures_are(model: Model) -> None:
    comparison = answered(model)
    for row, entry in zip(scatter_chart.points(comparison, T), comparison.finished, strict=True):
        found = entry.measures(2)
        assert row["x"] == pytest.approx(found.distinct_2, abs=1e-4)
        assert row["y"] == pytest.approx(found.per_token, abs=1e-4)
        assert row["low"] <= row["y"] <= 0
        assert row["low"] <= row["label"] <= 0


@given(st.lists(st.floats(0, scatter_chart.HEIGHT), max_size=8))
def test_names_never_cover_each_other(wanted: list[float]) -> None:
    places = scatter_chart.spread(wanted)
    assert all(0 < place < scatter_chart.HEIGHT for place in places)
    assert all(other - one > 17.5 for one, other in itertools.pairwise(sorted(places)))
    assert sorted(range(len(wanted)), key=wanted.__getitem__) == sorted(range(len(wanted)), key=places.__getitem__)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(scatter_chart).failed == 0


def test_what_is_left_is_counted_once_and_remembered(model: Model) -> None:
    comparison = CompareState(question=ASKED)
    kept = comparison.kept(model, "the cat")
    assert comparison.kept(model, "the cat") is kept
    rows = filter_size_chart.rows(kept, T)
    assert [row["top_p"] for row in rows] == [step.by_top_p for step in kept]
    assert {row["top_k"] for row in rows} == {20}
    for i in range(6):
        comparison.kept(model, f"the cat {i}")
    assert comparison.kept(model, "the cat") is not kept


def test_keys_that_are_put_together_exist() -> None:
    known = set(sentences("en"))
    wanted = {f"compare.{part}.{way.name}" for way in STRATEGIES for part in ("way", "note")}
    wanted |= {f"compare.set.{way.name}" for way in STRATEGIES if way.parameter}
    wanted |= {f"compare.{part}.{measure}" for measure in text_table.ORDER for part in ("measure", "help")}
    wanted |= {f"compare.stop.{stop}" for stop in ("end", "context", "person")}
    wanted |= {f"compare.{word}" for word in ("sort", "by_way", "turn_round", "take", "take_help", "legend")}
    wanted |= {f"compare.verdict.{m}" for m in ("per_token", "distinct_2", "repetition", "no_repetition")}
    wanted |= {f"compare.chart.{m}" for m in ("x", "y", "strategy", "probable", "varied", "repeated", "note")}
    wanted |= {f"compare.flat.{w}{p}" for w in ("flat", "peaked") for p in ("", "_prompt")}
    assert wanted - known == set()
