"""Values in the lessons' sentences after any actions of a learner: true of the text, the tree and the settings."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.model import Model
from pages.course import catalog, placeholders
from pages.course.learner import Learner
from pages.course.lesson import PLACEHOLDER
from pages.course.sheet_data import shown_then
from pages.course.state import CourseState
from pages.i18n.translator import Translator
from tests.pages.course.test_lessons import all_met, make_learner
from tests.pages.sentences import assert_well_formed, number

T = {language: Translator(language) for language in ("en", "zh_Hant")}
NONE = placeholders.NO_VALUE
CHANGES: dict[str, dict[str, Any]] = {"top_p": {"top_p": 0.7}, "top_k": {"top_k": 3}, "cold": {"temperature": 0.01}}
MOVES = ["step", "step", "step", "pick", "back", "first", "leaf", "restart", "greedy", "sample", *CHANGES]


def move(learner: Learner, name: str, token_id: int) -> None:
    """One action of the learner on the step page."""
    session, model = learner.session, learner.model
    trace = learner.trace
    if name == "step":
        session.step(model)
    elif name == "pick":
        session.pick(model, session.turn, token_id)
    elif name == "back":
        session.back(model)
    elif name in ("first", "leaf"):
        session.go_to(model, session.turn, 0 if name == "first" else len(trace.choices) - 1)
    elif name == "restart":
        session.restart(model)
    elif name in ("greedy", "sample"):
        session.strategy = "greedy" if name == "greedy" else "sample"
    else:
        session.settings = replace(session.settings, **CHANGES[name])


def check_values(learner: Learner, language: str) -> None:
    """Every value re-derived from the distributions of the model."""
    t, model, trace = T[language], learner.model, learner.trace
    got = {name: value(learner, t) for name, value in placeholders.PLACEHOLDERS.items()}
    ids, first = trace.token_ids(), trace.prompt_length
    p = [float(model.distribution(ids[:k]).raw[ids[k]]) for k in range(1, len(ids))]
    pieces = model.pieces(ids)
    assert (number(got["length"]), number(got["written"])) == (len(ids), max(0, len(ids) - first))
    assert int(got["factors"]) == len(p) and number(got["log_p"]) == pytest.approx(sum(map(math.log, p)), abs=0.06)
    assert got["last_p"] == (t.percent(p[-1]) if p else NONE) or p[-1] == pytest.approx(1, abs=1e-4)
    written = list(zip(p[first - 1 :], pieces[first:], strict=True))
    if written:
        assert got["least"] in [piece for value, piece in written if value <= min(written)[0] * (1 + 1e-5)]
    else:
        assert (got["least"], got["least_p"]) == (NONE, NONE), "the prompt was not written by the model"
    assert (got["perplexity"] == NONE) == (not p) and (got["perplexity_before"] == NONE) == (len(p) < 2)
    for kind, name in (("", "added"), ("hand", "taken")):
        new = [i for i, c in enumerate(trace.choices) if i >= first and kind in ("", c.how)]
        if not new:
            assert (got[name], got[f"{name}_p"]) == (NONE, NONE)
            continue
        path = trace.token_ids(new[-1])
        assert got[name] == model.pieces(path)[-1]
        raw = float(model.distribution(path[:-1]).raw[path[-1]])
        assert got[f"{name}_p"] in {t.percent(raw), t.percent(raw * 0.9999), t.percent(raw * 1.0001)}
    distribution = model.distribution(ids, learner.session.settings)
    assert number(got["kept"]) == np.isfinite(distribution.scores).sum(), "what underflows is improbable, not cut"
    total = np.cumsum(-np.sort(-distribution.raw.astype(np.float64)))
    nucleus = int((total < learner.session.settings.top_p - 1e-6).sum()) + 1
    assert abs(number(got["nucleus"]) - nucleus) <= (0 if learner.session.settings.top_p < 1 else len(total))


@given(
    actions=st.lists(st.tuples(st.sampled_from(MOVES), st.integers(3, 200)), max_size=9),
    language=st.sampled_from(list(T)),
)
@settings(max_examples=60)
def test_values_are_true_after_any_actions(model: Model, actions: list[tuple[str, int]], language: str) -> None:
    learner = make_learner(model, "the cat")
    memories: dict[str, dict[str, Any]] = {"written": {}, "hand": {}, "again": {}}
    log: list[tuple[int, ...]] = [()]  # the longest text of each run since a restart
    for name, token_id in [("back", 0), *actions]:
        move(learner, name, token_id)
        check_values(learner, language)
        ids = learner.trace.token_ids()
        log = [*log, ()] if len(ids) <= learner.trace.prompt_length else [*log[:-1], ids]
        got = {key: placeholders.PLACEHOLDERS[key](learner, T[language]) for key in ("added", "taken")}
        if all_met((("written", 1),), learner, memories["written"]):
            assert got["added"] != NONE
        if all_met((("hand", 0.05),), learner, memories["hand"]):
            assert got["taken"] != NONE
        if all_met((("again", 2),), learner, memories["again"]):
            before = [run for run in log[:-1] if run[: len(ids)] == ids[: len(run)]]
            assert before, "the same text was written before"


@pytest.mark.parametrize("language", T)
def test_a_text_that_was_not_the_same_is_not_said_to_be(model: Model, language: str) -> None:
    learner, memory = make_learner(model, "the cat"), dict[str, Any]()
    learner.session.strategy = "greedy"
    for token_id in (40, 41):
        for name in ("pick", "step", "step"):
            move(learner, name, token_id)
            assert not all_met((("again", 2),), learner, memory)
        move(learner, "restart", 0)
        assert not all_met((("again", 2),), learner, memory)


@pytest.mark.parametrize("language", T)
def test_sentences_with_values_are_shown_while_they_are_true(model: Model, language: str) -> None:
    for lesson in catalog.lessons(language):
        course = CourseState(done={lesson.name: set(range(len(lesson.steps)))})
        for number_of_step, step in enumerate(lesson.steps):
            course.begin(lesson, number_of_step)
            assert course.check(lesson, make_learner(model, "the cat")), "done before"
            shown = shown_then(step, True, course.holds)
            assert course.holds or not PLACEHOLDER.search(shown), (lesson.name, number_of_step)
            assert shown_then(step, True, True) == step.then and shown_then(step, False, False) == ""


@pytest.mark.parametrize("language", T)
@pytest.mark.parametrize("count", ["1", "0", "2", NONE])
def test_no_count_makes_a_sentence_malformed(language: str, count: str) -> None:
    for lesson in catalog.lessons(language):
        for step in lesson.steps:
            for sentence in (step.text, step.do, step.then, step.guess.ask if step.guess else step.do):
                assert_well_formed(PLACEHOLDER.sub(count, sentence.replace("{vocabulary}", "300")))
