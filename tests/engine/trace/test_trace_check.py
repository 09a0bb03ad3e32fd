"""Validation of untrusted traces: valid ones pass, and every invalid field raises TraceError, no other exception."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TraceError
from engine.sampling.settings import Settings
from engine.trace.trace import MAX_CHOICES, Choice, Trace
from tests.engine.conftest import Tiny
from tests.engine.trace.test_trace import Move, moves, play, prompts, start

VALID = play(start([1, 2]), [("choose", 3), ("choose", 0), ("go_to", 1), ("choose", 2)])
INVALID_ORIGIN: Any = "guessed"
arbitrary = st.one_of(
    st.integers(-(2**40), 2**40), st.none(), st.booleans(), st.floats(), st.text(max_size=3), st.just([])
)


@given(prompts, moves)
def test_what_a_person_does_is_always_a_whole_trace(prompt: list[int], moves: list[Move]) -> None:
    trace = play(start(prompt), moves)
    assert trace.check() is trace


INVALID: dict[str, dict[str, Any]] = {
    "no name": {"model": ""},
    "a name that is no text": {"model": 3},
    "a name with a control character": {"model": "a\x00b"},
    "an endless name": {"model": "a" * 201},
    "no settings": {"settings": {"temperature": 1.0}},
    "another strategy": {"strategy": "beam"},
    "a strategy that is a list": {"strategy": []},
    "a seed below 0": {"seed": -1},
    "a seed that is true": {"seed": True},
    "no choices": {"choices": ()},
    "too many choices": {"choices": tuple(Choice(i - 1, 1, "prompt") for i in range(MAX_CHOICES + 1))},
    "no prompt": {"prompt_length": 0},
    "a prompt longer than all": {"prompt_length": 6},
    "a prompt that says it was drawn": {"prompt_length": 3},
    "a cursor nowhere": {"cursor": 5},
    "a cursor before the first": {"cursor": -1},
    "a cursor that is a number with a point": {"cursor": 1.0},
    "latest that is no child": {"latest": {0: 3}},
    "latest of nobody": {"latest": {9: 1}},
    "latest that is its own child": {"latest": {1: 1}},
}


@pytest.mark.parametrize("fields", INVALID.values(), ids=INVALID)
def test_what_is_wrong_is_found(fields: dict[str, Any]) -> None:
    with pytest.raises(TraceError) as caught:
        replace(VALID, **fields).check()
    assert caught.value.code == "trace"


@pytest.mark.parametrize(
    "choice",
    [Choice(4, 3, "hand"), Choice(9, 3, "hand"), Choice(-1, 3, "hand"), Choice(0, -1, "hand"), Choice(1, 2**31, "hand"),
     Choice(1, 3, "hand"), Choice(0, 3, "prompt"), Choice(0, 3, INVALID_ORIGIN)],
)  # fmt: skip
def test_a_choice_that_cannot_be_is_found(choice: Choice) -> None:
    assert len(VALID.choices) == 5
    with pytest.raises(TraceError):
        replace(VALID, choices=(*VALID.choices[:4], choice), latest={}).check()


@given(st.sampled_from(["model", "prompt_length", "cursor", "settings", "strategy", "seed"]), arbitrary)
def test_no_value_of_any_kind_raises_anything_else(name: str, value: Any) -> None:
    trace = replace(VALID, **{name: value})
    with suppress(TraceError):
        assert trace.check() is trace


@given(st.integers(0, 4), st.sampled_from(["parent", "token_id", "how"]), arbitrary)
def test_no_choice_of_any_kind_raises_anything_else(at: int, name: str, value: Any) -> None:
    choice = VALID.choices[at]._replace(**{name: value})
    trace = replace(VALID, choices=(*VALID.choices[:at], choice, *VALID.choices[at + 1 :]))
    with suppress(TraceError):
        trace.check()
        assert all(parent < i for i, (parent, _, _) in enumerate(trace.choices))


def test_it_fits_a_model_whose_tokens_and_window_it_stays_within(gpt2: Tiny) -> None:
    model = gpt2.model
    last = model.vocabulary.size - 1
    trace = Trace.start(model.name, [1] * (model.context_length - 1), Settings()).choose(last, "hand")
    assert trace.fits(model) is trace
    with pytest.raises(TraceError) as caught:
        trace.choose(1, "hand").fits(model)
    assert caught.value.code == "trace_vocabulary"
    with pytest.raises(TraceError):
        Trace.start(model.name, [last + 1], Settings()).fits(model)
