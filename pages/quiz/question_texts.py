"""The texts of the quiz, written for it: `texts/LANGUAGE.toml`, a list of texts a kind.

No model may have read them, or it would know the answers: they are no part of the training text, and a test says so.
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
    kinds: dict[str, list[str]] = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return tuple(text for kind in kinds.values() for text in kind)


def deal(language: str, game: int) -> list[str]:
    """All texts in the order of a game: its own ten first. A game is the same for everybody; the games that follow
    each other have other texts until all have been dealt, then the order changes."""
    found = list(texts(language))
    games = max(1, len(found) // ROUNDS)
    random.Random(game // games).shuffle(found)
    first = game % games * ROUNDS
    return found[first:] + found[:first]
