"""The tree with the next level that is sent in advance: what the app answers to Grow, and no change of the state."""

from __future__ import annotations

import pytest

from engine.decoding.beam_types import BeamSettings
from engine.errors import EngineError
from engine.model.model import Model
from pages.beam import tree
from pages.beam.state import BeamState
from pages.i18n.translator import Translator
from pages.session.text_state import TextState

T = Translator("en")


def test_it_is_the_answer_to_grow(model: Model) -> None:
    state = BeamState(settings=BeamSettings(width=3, max_new_tokens=6))
    search = state.update_search(TextState(prompt="the cat"), model)
    while not state.done:
        search.grow_to(state.shown_levels + 1)
        state.open(state.turn, 1)
        before = tree.data(state, T)
        after = state.after_grow()
        assert after is not None and tree.data(state, T) == before
        state.grow()
        assert tree.data(after, T) == tree.data(state, T) != before
    assert state.after_grow() is None


def test_nothing_is_shown_in_advance_that_is_not_computed(model: Model) -> None:
    state = BeamState(settings=BeamSettings(width=2, max_new_tokens=7))
    search = state.update_search(TextState(prompt="the cat"), model)
    if len(search.levels) == state.shown_levels:
        assert state.after_grow() is None
    search.grow_to(state.shown_levels + 1)
    assert state.after_grow() is not None
    state.run()
    assert state.after_grow() is None


def test_a_level_that_the_host_forbids_is_taken_back(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    state = BeamState(settings=BeamSettings(width=2, max_new_tokens=5))
    state.update_search(TextState(prompt="the cat"), model).grow_to(2)
    after = state.after_grow()

    def charge(tokens: int = 1) -> None:
        raise EngineError("limit_work", "no more today")

    monkeypatch.setattr("pages.beam.state.admission.charge", charge)
    levels = state.shown_levels
    state.grow()
    assert after is not None and state.turn >= after.turn and state.shown_levels == levels
