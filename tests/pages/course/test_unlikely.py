"""Tokens that the first lesson names as unlikely: the vocabulary has them, and the bars do not show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.model.loading import load
from engine.model.model import Model
from engine.serving import model_registry
from pages.course import placeholders
from pages.i18n.translator import LANGUAGES, Translator
from tests import tiny
from tests.pages.course.test_lessons import make_learner


def check(model: Model, language: str, prompt: str) -> list[str]:
    learner = make_learner(model, prompt)
    t = Translator(language)
    words = [placeholders.value(name, learner, t) for name in ("unlikely", "also_unlikely")]
    shown = [c.text for c in model.distribution(learner.trace.token_ids()).top(learner.session.bars)]
    for word in words:
        assert word != placeholders.NO_VALUE and model.vocabulary.search(word, 1)
        assert word not in shown and f"␣{word}" not in shown
    return words


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_included_model_has_the_lessons_own_words(language: str) -> None:
    words = check(model_registry.request().result(), language, "今天天氣真")
    assert len(words) == 2 and set(words) <= set(Translator(language).list("course.unlikely"))


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_another_vocabulary_has_words_of_its_own(family: str, tmp_path: Path) -> None:
    model = load(tiny.build(family, tmp_path / family), from_hub=False)
    for language in LANGUAGES:
        words = check(model, language, "the cat")
        assert len(set(words)) == 2
