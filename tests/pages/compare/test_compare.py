"""Tests of the compare page's state, charts, table and summary."""

from __future__ import annotations

import doctest
import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from engine.decoding.strategies import BY_NAME, STRATEGIES
from engine.decoding.text_metrics import Measures
from engine.model.model import Model
from pages.compare import filter_size_chart, scatter_chart, summary, text_rows
from pages.compare.state import CompareSettings, CompareState
from pages.components.tables import text_table
from pages.i18n.translator import Translator, sentences
from pages.session.text_state import TextState

T = Translator("en")
SETTINGS = CompareSettings(prompt="the cat", seeds=(3, 4), max_new_tokens=8)


def started(model: Model, **changes: object) -> CompareState:
    state = CompareState(settings=replace(SETTINGS, **changes))  # type: ignore[arg-type]
    state.set_model(model)
    state.start(model)
    return state


def finished(model: Model, **changes: object) -> CompareState:
    state = started(model, **changes)
    while state.work(model, 1.0):
        pass
    return state


def test_every_strategy_answers_with_every_seed(model: Model) -> None:
    state = finished(model)
    assert [run.strategy for run in state.finished] == list(STRATEGIES)
    for run in state.runs:
        assert [text.seed for text in run.generation.texts] == ([3, 4] if run.strategy.draws else [None])
        assert all(text.stop for text in run.generation.texts)
    assert state.progress == 1
    assert not state.work(model, 1.0)


def test_work_is_done_in_pieces(model: Model) -> None:
    state = started(model)
    progress = [state.progress]
    while state.work(model, 0.001):
        progress.append(state.progress)
    assert len(progress) > 5
    assert progress == sorted(progress)
    assert progress[0] == 0


def test_what_is_done_stays_when_a_person_stops_it(model: Model) -> None:
    state = started(model, max_new_tokens=30)
    while len(state.runs) < 4:
        state.work(model, 0.0005)
    before = [[text.token_ids for text in run.generation.texts] for run in state.runs]
    state.stop()
    assert not state.work(model, 1.0)
    assert [[text.token_ids for text in run.generation.texts] for run in state.runs] == before
    assert len(state.finished) >= 3
    groups = text_rows.rows(state, model, T)["groups"]
    assert [bool(group["texts"]) for group in groups] == [i < len(before) for i in range(8)]
    assert groups[-1]["status"] == T("compare.not_begun")
    assert len(scatter_chart.points(state, T)) <= len(state.finished), "a stopped strategy is not compared"


@pytest.mark.parametrize("prompt", ["", " \n", "a" * 20_001, "好" * 64, "\ud83d"], ids=range(5))
def test_a_prompt_that_cannot_be_read_loses_nothing(model: Model, prompt: str) -> None:
    state = finished(model)
    runs, turn = state.runs, state.turn
    state.settings = replace(state.settings, prompt=prompt)
    state.start(model)
    assert state.problem is not None
    assert f"error.{state.problem.code}" in sentences("en")
    assert (state.runs, state.turn, state.running) == (runs, turn, False)
    state.settings = replace(state.settings, prompt="the dog")
    state.start(model)
    assert (state.problem, state.running) == (None, True)


def test_a_prompt_with_room_for_one_token_gets_one(model: Model) -> None:
    prompt = "好" * 21  # three tokens each
    assert len(model.read_prompt(prompt)) == model.context_length - 1
    state = finished(model, prompt=prompt)
    assert {len(text.token_ids) for run in state.finished for text in run.generation.texts} == {1}
    assert summary.sentences(state, T)
    assert text_rows.rows(state, model, T)["groups"][0]["texts"][0]["numbers"]["distinct_2"] == [None, "–"]


def test_a_strategy_that_cannot_be_carried_out_says_why_and_the_others_go_on(model: Model) -> None:
    wide = (("beam", 10_000), *((name, value) for name, value in SETTINGS.values if name != "beam"))
    state = finished(model, values=wide)
    beam = text_rows.rows(state, model, T)["groups"][1]
    problem = state.runs[1].problem
    assert problem is not None and beam["status"] == "This number must be from 1 to 64."
    assert [run.strategy.name for run in state.finished] == [
        strategy.name for strategy in STRATEGIES if strategy.name != "beam"
    ]


def test_another_model_forgets_the_answers(model: Model) -> None:
    state = finished(model)
    other = Model("other", model.vocabulary, model.prefix_cache, model.context_length, model.end_ids)
    state.set_model(other)
    assert (state.runs, state.run_settings) == ([], None)
    assert not state.load_in_step(TextState(), other, state.turn, 0, 0)


@pytest.mark.parametrize("at", range(len(STRATEGIES)), ids=[strategy.name for strategy in STRATEGIES])
def test_a_text_is_taken_and_the_model_would_choose_the_same_again(model: Model, at: int) -> None:
    state, session = finished(model), TextState(prompt="天氣", model_name=model.name)
    session.ready(model)
    last = len(state.runs[at].generation.texts) - 1
    assert state.load_in_step(session, model, state.turn, at, last)
    text, trace = state.runs[at].generation.texts[last], session.ready(model)
    assert trace.token_ids() == (*state.prompt_ids, *text.token_ids)
    assert (session.prompt, trace.prompt_length) == ("the cat", len(state.prompt_ids))
    strategy = STRATEGIES[at]
    expected = "hand" if strategy.name == "beam" else "drawn" if strategy.draws else "greedy"
    assert {choice.how for choice in trace.choices[trace.prompt_length :]} == {expected}
    if strategy.name != "beam":
        session.go_to(model, session.turn, trace.prompt_length - 1)
        for token_id in text.token_ids:
            session.step(model)
            assert session.ready(model).token_ids()[-1] == token_id
    assert session.ready(model).choices == trace.choices


def test_a_text_of_the_prompt_on_the_table_is_one_more_way(model: Model) -> None:
    state, session = finished(model), TextState(prompt="the cat", model_name=model.name)
    session.step(model)
    session.pick(model, session.turn, 17)
    before = session.ready(model).choices
    assert state.load_in_step(session, model, state.turn, 2, 0)
    after = session.ready(model)
    assert [(c.parent, c.token_id) for c in after.choices[: len(before)]] == [(c.parent, c.token_id) for c in before]
    assert after.token_ids() == (*state.prompt_ids, *state.runs[2].generation.texts[0].token_ids)


@pytest.mark.parametrize(("turn", "run_index", "text_index"), [(-1, 0, 0), (0, 99, 0), (0, 0, 5), (0, -1, 0)])
def test_a_click_that_is_out_of_date_takes_nothing(model: Model, turn: int, run_index: int, text_index: int) -> None:
    state, session = finished(model), TextState(prompt="天氣", model_name=model.name)
    before = session.ready(model)
    assert not state.load_in_step(session, model, state.turn + turn, run_index, text_index)
    assert session.ready(model) is before


def test_chips_say_every_token_once_and_mark_what_stood_before(model: Model) -> None:
    state = finished(model, prompt="天氣", values=tuple(SETTINGS.values), max_new_tokens=30)
    for run in state.runs:
        for text in run.generation.texts:
            chips = text_table.chips(model, state.prompt_ids, text, T)
            assert sum(len(parts) for _, parts, *_ in chips) == len(text.token_ids)
            assert all(0 <= p <= 1 for _, parts, *_ in chips for p in parts)
            assert "\ufffd" not in "".join(read for read, *_ in chips)
    text = replace(text, token_ids=(70, 71, 72, 73, 70, 71, 72, 73), log_probabilities=(-1.0,) * 8)
    assert [repeated for *_, repeated, _ in text_table.chips(model, state.prompt_ids, text, T)] == [
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
    state = finished(model, values=tuple({**dict(SETTINGS.values), "top_p": 1.0, "typical_p": 1.0}.items()))
    result = summary.sentences(state, T)
    measured = {text_rows.strategy_label(r.strategy, r.value, T): r.measures(2) for r in state.finished}
    assert measured["top-p 1"] == measured["typical 1"] == measured["Pure sampling"]
    for sentence, measure in zip(result, ("per_token", "distinct_2"), strict=False):
        best = max(getattr(m, measure) for m in measured.values())
        for name, measures in measured.items():
            assert (name in sentence) == (getattr(measures, measure) == best)
    assert len(result) == 3


def test_nothing_is_told_of_one_alone(model: Model) -> None:
    state = started(model)
    while not state.finished:
        state.work(model, 0.0005)
    state.stop()
    assert len(state.finished) == 1
    assert summary.sentences(state, T) == []


def test_marks_stand_where_the_measures_are(model: Model) -> None:
    state = finished(model)
    for row, run in zip(scatter_chart.points(state, T), state.finished, strict=True):
        measures = run.measures(2)
        assert row["x"] == pytest.approx(measures.distinct_2, abs=1e-4)
        assert row["y"] == pytest.approx(measures.per_token, abs=1e-4)
        assert row["low"] <= row["y"] <= 0
        assert row["low"] <= row["label"] <= 0


MARKS = st.tuples(
    st.floats(0, 1), st.floats(-5, 0), st.sampled_from(["貪婪搜尋", "Greedy search", "min-p 0.1", "Random sampling"])
)


@given(st.lists(MARKS, min_size=1, max_size=8), st.sampled_from([280, 420, 640]))
@example([(0.15, -0.9, "Greedy search"), (0.36, -0.93, "min-p 0.1")], 640)
def test_no_label_lies_on_a_mark(marks: list[tuple[float, float, str]], width: int) -> None:
    """In pixels, on a plot of this width: a mark is a disc of radius 6, a letter at least 7 wide, a character 14."""
    rows = [{"name": name, "x": x, "y": y} for x, y, name in marks]
    scatter_chart.place_labels(rows)
    pixels = width / 1.4
    for row in rows:
        left = float(row["label_x"]) * pixels + 5  # type: ignore[arg-type]
        right = left + sum(14 if char > "⺀" else 7 for char in str(row["name"]))
        middle = scatter_chart.HEIGHT * float(row["label"]) / float(row["low"])  # type: ignore[arg-type]
        for other in rows:
            if other is row:
                continue
            x, y = float(other["x"]) * pixels, scatter_chart.HEIGHT * float(other["y"]) / float(other["low"])  # type: ignore[arg-type]
            inside = left - 6 < x < right + 6 and abs(y - middle) < 7 + 6
            assert not inside, (row, other)


NEAR = [(0.331, -0.53, "Greedy search"), (0.332, -0.5, "Beam search 4"), (0.89, -1.0, "top-p 0.9")]


@given(st.lists(MARKS, min_size=1, max_size=8))
@example(NEAR)
@example([(0.1, -1.0, "Greedy search"), (0.3, -1.1, "Beam search 4"), (0.02, -1.05, "min-p 0.1")])
def test_no_line_runs_through_a_label_beside_a_mark(marks: list[tuple[float, float, str]]) -> None:
    rows: list[dict[str, Any]] = [{"name": name, "x": x, "y": y} for x, y, name in marks]
    scatter_chart.place_labels(rows)
    pixels, up = 280 / 1.4, scatter_chart.HEIGHT / -rows[0]["low"]
    for row, other in itertools.permutations(rows, 2):
        if row["label_x"] > 1:
            continue
        left = row["label_x"] * pixels + 5
        right = left + sum(14 if char > "⺀" else 7 for char in row["name"])
        for k in range(101):
            x = (other["x"] + (other["label_x"] - other["x"]) * k / 100) * pixels
            y = (other["y"] + (other["label"] - other["y"]) * k / 100) * up
            assert not (left < x < right and abs(y - row["label"] * up) < 7), (row, other)


def test_marks_at_one_place_are_all_seen() -> None:
    rows: list[dict[str, Any]] = [{"name": name, "x": x, "y": y} for x, y, name in [*NEAR, NEAR[2], NEAR[2]]]
    scatter_chart.place_labels(rows)
    assert rows[0]["radius"] > rows[1]["radius"]
    assert rows[2]["radius"] > rows[3]["radius"] > rows[4]["radius"]
    assert all(row["label_x"] < 1 for row in rows[:2]), "there is room for both labels beside the marks"


@given(st.lists(st.floats(0, scatter_chart.HEIGHT), max_size=8))
def test_names_never_cover_each_other(desired: list[float]) -> None:
    positions = scatter_chart.spread_labels(desired)
    assert all(0 < position < scatter_chart.HEIGHT for position in positions)
    assert all(lower - upper > 17.5 for upper, lower in itertools.pairwise(sorted(positions)))
    indices = range(len(desired))
    assert sorted(indices, key=desired.__getitem__) == sorted(indices, key=positions.__getitem__)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(scatter_chart).failed == 0


def test_what_is_left_is_counted_once_and_remembered(model: Model) -> None:
    state = CompareState(settings=SETTINGS)
    sizes = state.filter_sizes(model, "the cat")
    assert state.filter_sizes(model, "the cat") is sizes
    rows = filter_size_chart.rows(sizes, T)
    assert [row["top_p"] for row in rows] == [step.by_top_p for step in sizes]
    assert {row["top_k"] for row in rows} == {20}
    for i in range(6):
        state.filter_sizes(model, f"the cat {i}")
    assert state.filter_sizes(model, "the cat") is not sizes


def test_keys_that_are_put_together_exist() -> None:
    known = set(sentences("en"))
    wanted = {f"compare.{part}.{strategy.name}" for strategy in STRATEGIES for part in ("way", "note")}
    wanted |= {f"compare.set.{strategy.name}" for strategy in STRATEGIES if strategy.parameter}
    wanted |= {f"compare.{part}.{measure}" for measure in text_table.ORDER for part in ("measure", "help")}
    wanted |= {f"compare.stop.{stop}" for stop in ("end", "context", "person")}
    wanted |= {f"compare.{word}" for word in ("sort", "by_way", "turn_round", "take", "take_help", "legend")}
    wanted |= {f"compare.verdict.{m}" for m in ("per_token", "distinct_2", "repetition", "no_repetition")}
    wanted |= {f"compare.chart.{m}" for m in ("x", "y", "strategy", "probable", "varied", "repeated", "note")}
    wanted |= {f"compare.flat.{w}{p}" for w in ("flat", "peaked") for p in ("", "_prompt")}
    assert wanted - known == set()


measured = st.integers(1, 40).flatmap(
    lambda tokens: st.builds(
        Measures,
        tokens=st.just(tokens),
        log_probability=st.integers(-300, 0).map(lambda n: n / 1000 * tokens),
        distinct_1=st.just(0.5),
        distinct_2=st.none() | st.integers(0, 200).map(lambda n: n / 200),
        repetition=st.none() | st.integers(0, 400).map(lambda n: n / 400),
    )
)


@given(st.lists(measured, min_size=2, max_size=5))
def test_all_whose_measure_reads_the_same_are_named(drawn: list[Measures]) -> None:
    runs = [
        SimpleNamespace(strategy=BY_NAME["top_k"], value=k, measures=lambda _, m=m: m) for k, m in enumerate(drawn, 11)
    ]
    state: Any = SimpleNamespace(finished=runs, run_settings=None)
    lines = summary.sentences(state, T)
    for measure in ("per_token", "distinct_2", "repetition"):
        values = [getattr(m, measure) for m in drawn]
        known = [value for value in values if value is not None]
        if not known or (measure == "repetition" and max(known) == 0):
            continue
        line = lines.pop(0)
        best = text_table.read(measure, max(known), T)
        for run, value in zip(runs, values, strict=True):
            named = text_rows.strategy_label(run.strategy, run.value, T) in line
            assert named == (value is not None and text_table.read(measure, value, T) == best)
