"""Actions of TextState, with a tiny model."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import engine
from engine.model.model import Model
from engine.sampling.settings import Settings
from pages.session.prompt_notes import prompt_notes
from pages.session.text_state import TextState
from tests import tiny


def begun(model: Model, prompt: str = "天氣", **fields: Any) -> TextState:
    session = TextState(prompt=prompt, model_name=model.name, **fields)
    session.ready(model)
    return session


def test_it_begins_with_the_prompt(model: Model) -> None:
    session = begun(model)
    assert session.trace is not None
    assert session.trace.token_ids() == model.encode("天氣")


def test_a_step_appends_what_the_engine_chooses(model: Model) -> None:
    session = begun(model)
    for _ in range(5):
        before = session.ready(model).token_ids()
        _, token_id, _ = engine.choose(model, before, session.strategy, session.settings, session.seed)
        assert session.step(model)
        assert session.ready(model).token_ids() == (*before, token_id)


def test_back_and_next_is_the_same_token_and_costs_no_pass(model: Model) -> None:
    session = begun(model, "the cat")
    session.step(model)
    text = session.ready(model).token_ids()
    model.records(text)
    passes = model.prefix_cache.counters.passes
    session.back(model)
    session.step(model)
    assert session.ready(model).token_ids() == text
    assert model.prefix_cache.counters.passes == passes
    assert len(session.ready(model).choices) == len(text)


def test_a_stale_click_does_nothing(model: Model) -> None:
    session = begun(model)
    turn = session.turn
    session.pick(model, turn, 5)
    after = session.trace
    session.pick(model, turn, 6)
    session.go_to(model, turn, 0)
    assert session.trace is after


@pytest.mark.parametrize("token_id", [-1, 10**6])
def test_a_token_that_does_not_exist_is_not_taken(model: Model, token_id: int) -> None:
    session = begun(model)
    before = session.trace
    session.pick(model, session.turn, token_id)
    assert session.trace is before


def test_an_alternative_in_the_middle_makes_a_branch_there(model: Model) -> None:
    session = begun(model, "the cat sat")
    session.step(model)
    text = session.ready(model).token_ids()
    session.pick(model, session.turn, 7, after=1)
    assert session.ready(model).token_ids() == (*text[:2], 7)
    assert session.ready(model).choices[-1].how == "hand"
    assert len(session.ready(model).choices) == len(text) + 1


def test_a_run_writes_its_tokens_and_says_why_it_ended(model: Model) -> None:
    session = begun(model, run_tokens=4, settings=Settings(top_k=3))
    made = len(session.ready(model).choices)
    session.run(model)
    while session.run_on(model):
        pass
    written = session.ready(model).token_ids()
    assert (len(written) == made + 4 and session.stopped == "length") or (
        written[-1] in model.end_ids and session.stopped == "end"
    )


def test_a_person_stops_a_run(model: Model) -> None:
    session = begun(model, run_tokens=9)
    session.run(model)
    session.run_on(model)
    session.stop(model)
    assert (session.running, session.stopped) == (0, "person")
    assert not session.run_on(model)


def test_the_window_fills_and_nothing_follows(model: Model) -> None:
    session = begun(model)
    while len(session.ready(model).token_ids()) < model.context_length:
        session.pick(model, session.turn, 40)
    assert session.end(model) == "context"
    assert not session.step(model)
    assert session.stopped == "context"
    session.pick(model, session.turn, 41)
    assert len(session.ready(model).token_ids()) == model.context_length


def test_the_end_of_text_token_ends_it(model: Model) -> None:
    session = begun(model)
    session.pick(model, session.turn, next(iter(model.end_ids)))
    assert session.end(model) == "end"
    assert not session.step(model)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \n\u3000", "empty"),
        ("a" * 20_001, "characters"),
        ("好" * 64, "context"),
        ("\ud83d", "surrogate"),
    ],
)
def test_a_bad_prompt_is_put_on_record_and_loses_nothing(model: Model, text: str, code: str) -> None:
    session = begun(model)
    session.step(model)
    before = session.trace
    session.set_prompt(model, text)
    assert session.problem is not None
    assert session.problem.code == code
    assert session.trace is before
    session.set_prompt(model, "天")
    assert session.problem is None


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("a\x00b", "note.control"),
        ("مرحبا", "note.right_to_left"),
        ("👩‍👧", "note.joined"),
        (f"a {tiny.END}", "note.special"),
    ],
)
def test_odd_prompts_are_read_with_a_note(model: Model, text: str, note: str) -> None:
    session = begun(model)
    session.set_prompt(model, text)
    assert session.problem is None
    assert session.notes == [note]
    assert not any(i in model.vocabulary.special for i in session.ready(model).token_ids())


def test_an_ordinary_prompt_needs_no_note(model: Model) -> None:
    assert prompt_notes(model, "今天天氣真好 ok", model.encode("今天天氣真好 ok")) == []


def test_settings_change_nothing_of_the_text(model: Model) -> None:
    session = begun(model)
    session.step(model)
    text = session.ready(model).token_ids()
    session.settings, session.strategy = Settings(temperature=0.1, top_k=2), "greedy"
    turn = session.turn
    assert session.ready(model).token_ids() == text
    assert session.ready(model).settings == session.settings
    assert session.turn == turn + 1, "clicks on the previous drawing are outdated"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["step", "back", "pick", "go", "restart", "run"]), st.integers(0, 60))))
def test_any_moves_leave_a_text_that_begins_with_the_prompt_or_within_it(
    model: Model, moves: list[tuple[str, int]]
) -> None:
    session = begun(model, "cat", run_tokens=2)
    prompt = model.encode("cat")
    for move, number in moves:
        trace = session.ready(model)
        if move == "pick":
            session.pick(model, session.turn, number, after=number % len(trace.choices))
        elif move == "go":
            session.go_to(model, session.turn, number % len(trace.choices))
        elif move == "run":
            session.run(model)
            session.run_on(model)
        else:
            {"step": session.step, "back": session.back, "restart": session.restart}[move](model)
        trace = session.ready(model)
        assert trace.token_ids()[0] == prompt[0]
        assert tuple(c.token_id for c in trace.choices[: len(prompt)]) == prompt
        assert trace.cursor in trace.line()
