"""TODO"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score


SHIFTED = 8


_shifted = register("shifted_text", Path(__file__))


def shifted(model: Model, score: Score, around: int) -> list[list[Any]]:
    """Around a position, for each place [what is read there, what must be predicted there, its loss]."""
    labels = model.pieces(score.token_ids)
    first = max(1, min(around - SHIFTED // 2, len(labels) - SHIFTED))
    places = range(first, min(first + SHIFTED, len(labels)))
    return [[labels[at - 1], labels[at], round(-(score.log_probabilities[at] or 0.0), 1)] for at in places]


def draw_shifted(places: list[list[Any]], t: Translator) -> None:
    """What `shifted` made."""
    labels = {word: t(f"training.shift_{word}") for word in ("reads", "predicts", "loss")}
    _shifted(key="shifted", data={"places": places, "labels": labels})
