"""The check of the course: what it measures holds for the included model, and not for one that has learned nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from engine.model.loading import load
from engine.model.model import Model
from engine.serving import model_registry
from pages.course import tasks
from pages.i18n.translator import WRITTEN, Translator
from tests import tiny
from tests.course_check import claims, measure, robot


@pytest.fixture(scope="module")
def bundled() -> Model:
    model = model_registry.request().result()
    torch.set_num_threads(1)
    return model


@pytest.mark.parametrize("language", WRITTEN)
def test_what_the_lessons_and_examples_claim_is_true_of_the_included_model(bundled: Model, language: str) -> None:
    found = list(measure.findings(bundled, (language,), claims_only=True))
    assert len(found) > 40
    assert [finding for finding in found if not finding.holds] == []


def test_a_model_that_has_learned_nothing_is_found_out(tmp_path: Path) -> None:
    untrained = load(tiny.build("gpt2", tmp_path / "gpt2"), from_hub=False)
    for language in WRITTEN:
        t = Translator(language)
        held = [measured.holds for _, measured in claims.of_examples(untrained, t)]
        assert sum(held) < len(held) / 2
        learner = robot.Robot(untrained, t)
        learner.session.set_prompt(untrained, t.list("step.examples.list")[0])
        assert not claims.heads_have_patterns(learner, 1).holds
        assert not claims.hotter_is_less_expected(learner, {"temperature": 1.6}).holds


def test_every_condition_of_a_task_has_an_action() -> None:
    assert set(robot.ACTIONS) == set(tasks.TASKS)
    assert set(claims.OF_TASKS) <= set(tasks.TASKS)


def test_a_claim_says_what_it_measured(bundled: Model) -> None:
    t = Translator("en")
    for what, measured in claims.of_pages(bundled, t):
        assert what and re.search(r"\w", measured.numbers)
