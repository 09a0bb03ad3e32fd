"""Ledgers: one row for each setting that was tried, with the model's own values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.decoding.beam_types import BeamSettings
from engine.model.model import Model
from engine.sampling.settings import Settings
from pages.course.lesson import Ledger
from pages.course.notes import MAX_ROWS, Notes
from pages.i18n.translator import WRITTEN, Translator
from tests.pages.course.test_guesses import begin, bundled, finish
from tests.pages.course.test_lessons import make_learner

__all__ = ["bundled"]
SEEDS = Ledger((("Seed", "seed"),), (("Text", "continuation"),))
TOP_K = Ledger((("Top-k", "top_k"),), (("Left", "kept"), ("Drawn", "best_drawn")))


def cells(notes: Notes, ledger: Ledger, language: str = "en") -> list[list[str]]:
    return [row["cells"] for row in notes.table(ledger, language)["rows"]]


@pytest.mark.parametrize("language", WRITTEN)
def test_three_widths_have_the_scores_of_the_engine(bundled: Model, language: str) -> None:
    course, lesson = begin("beam", 4, language)
    learner, t = make_learner(bundled, "今天天氣真"), Translator(language)
    ledger, notes = lesson.steps[3].ledger, course.notes_of(lesson)
    assert ledger is not None
    for width in (3, 1, 2, 3):
        learner.beam.settings = BeamSettings(width, max_new_tokens=5)
        learner.beam.update_search(learner.session, bundled)
        learner.beam.restart()
        course.check(lesson, learner)
        finish(learner)
        course.check(lesson, learner)
    ids = bundled.read_prompt("今天天氣真")
    expected = []
    for width in (1, 2, 3):
        best = engine.beam_search(bundled, ids, width=width, max_new_tokens=5).sequences[0]
        text = bundled.continuation(ids, best.token_ids[len(ids) :])
        expected.append([str(width), t.number(best.score, 2), text])
    assert cells(notes, ledger, language) == expected
    table = notes.table(ledger, language)
    assert [row["now"] for row in table["rows"]] == [False, False, True]
    assert table["columns"] == [title for title, _ in (*ledger.settings, *ledger.results)]


def test_a_setting_has_one_row_and_the_oldest_makes_room(model: Model) -> None:
    learner, notes, t = make_learner(model, "the cat"), Notes(), Translator("en")
    for top_k in (5, 3, 5, 4):
        learner.session.settings = Settings(top_k=top_k)
        notes._record(TOP_K, learner)
    ids = learner.trace.token_ids()
    drawn = [model.distribution(ids, Settings(top_k=k)).top(1)[0].probability for k in (3, 4, 5)]
    assert cells(notes, TOP_K) == [[str(k), str(k), t.percent(p)] for k, p in zip((3, 4, 5), drawn, strict=True)]
    for top_k in range(10, 10 + MAX_ROWS - 1):
        learner.session.settings = Settings(top_k=top_k)
        notes._record(TOP_K, learner)
    assert [row[0] for row in cells(notes, TOP_K)] == ["4", *map(str, range(10, 9 + MAX_ROWS))]


MOVES = ("step", "step", "run", "back", "restart", "pick", "leaf", "seed", "seed", "warm")


def move(learner: Any, name: str, model: Model) -> None:
    session = learner.session
    if name == "seed":
        session.seed = 7 if session.seed == 8 else 8
    elif name == "warm":
        session.settings = replace(session.settings, temperature=3 - session.settings.temperature)
    elif name == "pick":
        session.pick(model, session.turn, 40)
    elif name == "leaf":
        session.go_to(model, session.turn, len(learner.trace.choices) - 1)
    elif name == "run":
        for _ in range(4):
            session.step(model)
    else:
        getattr(session, name)(model)


@given(st.lists(st.sampled_from(MOVES), max_size=12))
@settings(max_examples=30)
def test_a_row_of_a_seed_has_a_text_of_that_seed(model: Model, moves: list[str]) -> None:
    learner, notes = make_learner(model, "the cat"), Notes()
    ledger = Ledger((("Seed", "seed"), ("T", "temperature")), (("Text", "continuation"), ("Tokens", "written")))
    for name in moves:
        move(learner, name, model)
        notes._record(ledger, learner)
    ids = learner.trace.token_ids()[: learner.trace.prompt_length]
    for seed, temperature, text, count in cells(notes, ledger):
        steps = engine.generate(
            model, ids, "sample", settings=Settings(temperature=float(temperature)), seed=int(seed), max_new_tokens=60
        )
        written = [step.token_id for step in steps][: int(count)]
        assert model.continuation(ids, written).strip() == text
