"""Input tokens and prediction targets around a position: the targets are the input shifted by one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score


MAX_PAIRS = 8

_component = register("shifted_text", Path(__file__))


def input_target_pairs(model: Model, score: Score, position: int, t: Translator) -> list[list[str]]:
    """[input token, target token, loss in nats as text] for up to `MAX_PAIRS` targets around a position."""
    labels = model.pieces(score.token_ids)
    first = max(1, min(position - MAX_PAIRS // 2, len(labels) - MAX_PAIRS))
    targets = range(first, min(first + MAX_PAIRS, len(labels)))
    return [[labels[at - 1], labels[at], t.number(-(score.log_probabilities[at] or 0.0))] for at in targets]


def draw(pairs: list[list[str]], t: Translator) -> None:
    """Draw the result of `input_target_pairs`."""
    labels = {word: t(f"training.shift_{word}") for word in ("reads", "predicts", "loss")}
    _component(key="shifted", data={"places": pairs, "labels": labels})
