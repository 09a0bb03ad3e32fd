"""Texts of the quiz: number, order without repetition, and absence from the training text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.model.model import Model
from engine.quiz import questions
from engine.serving import model_registry
from engine.training.grammar import Grammar
from pages.i18n.translator import LANGUAGES
from pages.shell.question_texts import FOLDER, ROUNDS, texts, texts_for_game

ROOT = Path(__file__).parents[3]
OWN_TEXT = ROOT / "engine" / "training" / "text"


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_texts_enough_and_all_can_be_asked_about(language: str, bundled: Model) -> None:
    all_texts = texts(language)
    assert len(all_texts) == len(set(all_texts)) >= 40
    assert all(len(questions.find_questions(bundled, text)) >= 4 for text in all_texts)
    chinese = [bool(re.search(r"[\u4e00-\u9fff]", text)) for text in all_texts]
    assert not any(chinese) if language == "en" else all(chinese)
    used = [text for game in range(4) for text in texts_for_game(language, game)[:ROUNDS]]
    assert len(set(used)) == 40 and set(texts_for_game(language, 5)) == set(all_texts)
    assert texts_for_game(language, 0) == texts_for_game(language, 0) != texts_for_game(language, 4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_was_trained_on(language: str) -> None:
    """Neither the sentences nor long runs of them: 12 characters in Chinese, 8 words in English."""
    own = ["".join(path.read_text("utf-8").split()) for path in sorted(OWN_TEXT.iterdir())]
    for path in OWN_TEXT.glob("*.grammar"):
        drawn = Grammar.parse(path.read_text("utf-8"), path.name).draw_many(400, seed=0)
        own.append("".join("".join(drawn).split()))
    whole = "\n".join(own)
    assert len(whole) > 500_000
    for text in texts(language):
        if language == "en":
            words = text.split()
            runs = ["".join(words[at : at + 8]) for at in range(max(1, len(words) - 7))]
        else:
            runs = [text[at : at + 12] for at in range(max(1, len(text) - 11))]
        assert not [run for run in runs if run in whole], text


def test_training_reads_none_of_it() -> None:
    assert FOLDER.is_dir() and not list(FOLDER.rglob("*.txt"))
    scripts = list((ROOT / "engine" / "training").rglob("*.py"))
    assert len(scripts) > 10
    for path in scripts:
        assert "pages" not in path.read_text("utf-8"), path
    for path in (ROOT / "engine" / "training").rglob("*"):
        assert not path.is_symlink()
