"""The stage's data that is sent in advance: what the app answers to Next, and no change of the state."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
from hypothesis import given
from hypothesis import settings as examples

from engine.model.model import Model
from engine.sampling.settings import Settings
from pages.components.difference import difference
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.step import next_step, stage, state
from pages.step.state import StageState

T = Translator("en")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)


def changed(before: Any, change: dict[str, Any]) -> Any:
    """The opposite of `difference`, as in `difference.js`."""
    if "items" in change:
        return [*before[: change["from"]], *change["items"]]
    if "keys" in change:
        return before | {key: changed(before[key], inner) for key, inner in change["keys"].items()}
    return change["value"]


def data(session: TextState, moved: StageState, model: Model, simple: bool) -> dict[str, Any]:
    text = session.annotator.annotate(model, session.ready(model))
    return stage.data(session, moved, model, text, T, simple)


@given(JSON, JSON)
def test_a_difference_makes_the_one_of_the_other(before: Any, after: Any) -> None:
    assert changed(before, difference(before, after)) == after


@given(
    prompt=st.sampled_from(["the cat", "今天天氣真", "I like 🐈", "a"]),
    settings=st.builds(
        Settings, temperature=st.sampled_from([0.0, 0.7, 1.0, 1.9]), top_k=st.sampled_from([0, 1, 5]),
        top_p=st.sampled_from([1.0, 0.6]), repetition_penalty=st.sampled_from([1.0, 1.4]),
    ),
    strategy=st.sampled_from(["sample", "greedy"]),
    seed=st.integers(0, 99),
    steps=st.integers(0, 6),
    simple=st.booleans(),
)  # fmt: skip
@examples(max_examples=40)
def test_it_is_the_answer_to_next(
    model: Model, prompt: str, settings: Settings, strategy: Any, seed: int, steps: int, simple: bool
) -> None:
    session = TextState(prompt=prompt, settings=settings, strategy=strategy, seed=seed)
    moved = StageState(made=3)
    moved.arrive(prompt)
    state.make(session, model, [{"n": n, "kind": "next"} for n in range(steps)])
    before = data(session, moved, model, simple)
    shown, turn = session.trace, session.turn
    ahead = next_step.after_next(session, moved, model, T, simple, None)
    assert (session.trace, session.turn) == (shown, turn)
    if ahead is None:
        assert before["ended"]
        return
    sent = json.loads(json.dumps(difference(before, ahead)))
    state.make(session, model, moved.new_moves([{"n": 4, "kind": "next"}]))
    answer = json.loads(json.dumps(data(session, moved, model, simple)))
    assert changed(json.loads(json.dumps(before)), sent) == answer != before


def test_of_the_text_only_the_new_token_is_sent(model: Model) -> None:
    session, moved = TextState(prompt="the cat"), StageState()
    before = data(session, moved, model, False)
    change = difference(before, next_step.after_next(session, moved, model, T, False, None))["keys"]
    assert "labels" not in change or set(change["labels"]["keys"]) == {"legend"}
    assert [len(change[name]["items"]) for name in ("nodes", "line", "facts")] == [1, 1, 1]


def test_it_charges_nothing(model: Model, monkeypatch: Any) -> None:
    def charge(tokens: int = 1) -> None:
        raise AssertionError("a step in advance was charged")

    session = TextState(prompt="the cat")
    session.ready(model)
    monkeypatch.setattr("pages.session.text_state.admission.charge", charge)
    assert next_step.after_next(session, StageState(), model, T, False, None) is not None


def test_no_token_is_shown_in_advance_after_the_last_one(model: Model) -> None:
    session = TextState(prompt="a")
    session.set_prompt(model, "a " * (model.context_length // 2))
    while not session.end(model):
        session.step(model)
    assert session.after_step(model) is None
