"""Questions of a game, for the quiz and for a class: in texts written for it, `pages/quiz/texts/LANGUAGE.toml`.

The texts are lists by kind. They must not be in any training text, or the model would know the answers; a test checks
this for the bundled model.
"""

from __future__ import annotations

import random
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.questions import QuizQuestion

ROUNDS = 10
FOLDER = Path(__file__).parents[1] / "quiz" / "texts"


@cache
def texts(language: str) -> tuple[str, ...]:
    """All texts of a language."""
    by_kind: dict[str, list[str]] = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return tuple(text for kind in by_kind.values() for text in kind)


def texts_for_game(language: str, game: int) -> list[str]:
    """All texts in the order of a game, of which the first ROUNDS suitable ones are used.

    The order depends on the game's number only. Consecutive games begin with different texts until all have been used;
    then they are shuffled again.
    """
    shuffled = list(texts(language))
    games = max(1, len(shuffled) // ROUNDS)
    random.Random(game // games).shuffle(shuffled)
    first = game % games * ROUNDS
    return shuffled[first:] + shuffled[:first]


def questions_of_game(model: Model, language: str, game: int) -> list[QuizQuestion]:
    """One question in each of ten texts. Raises EngineError(`quiz_model`) if the tokenizer leaves too few suitable."""
    from engine.quiz.questions import find_questions
    from engine.sampling.distribution import uniform

    chosen: list[QuizQuestion] = []
    for text in texts_for_game(language, game):
        if questions := find_questions(model, text):
            chosen.append(questions[int(uniform(game, len(chosen)) * len(questions))])
        if len(chosen) == ROUNDS:
            return chosen
    raise EngineError("quiz_model", "the tokenizer leaves too few suitable questions")
