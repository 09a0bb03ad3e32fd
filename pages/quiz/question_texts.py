"""Texts of the quiz, written for it: `texts/LANGUAGE.toml`, a list of texts for each kind.

They must not be in any training text, or the model would know the answers; a test checks this for the bundled model.
"""

from __future__ import annotations

import random
import tomllib
from functools import cache
from pathlib import Path

ROUNDS = 10
FOLDER = Path(__file__).parent / "texts"


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
