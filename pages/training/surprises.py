"""TODO"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score
from pages.training.scored_text import _told

WORST = 6


BEFORE = 6  # tokens shown before a surprise


_worst = register("worst_surprises", Path(__file__))


def worst(model: Model, score: Score, opened: int | None, turn: int, t: Translator) -> dict[str, Any]:
    """The least expected tokens, worst first: [position, text before, token, numbers, what the model expected]."""
    from engine.model.score import least_expected as least_expected

    labels = model.pieces(score.token_ids)
    rows = []
    for at in least_expected(score, WORST):
        value, rank = score.log_probabilities[at], score.ranks[at]
        assert value is not None
        distribution = model.distribution(score.token_ids[:at])
        guess = distribution.candidate(distribution.argmax())
        told = t("training.worst_told", p=t.percent(math.exp(value)), rank=f"{rank:,}", loss=t.number(-value, 1))
        expected = t("training.expected", token=guess.text, p=t.percent(guess.raw)) if rank != 1 else ""
        before = ("… " if at > BEFORE else "") + " ".join(labels[max(0, at - BEFORE) : at])
        rows.append([at, before, labels[at], told, expected])
    return {"turn": turn, "opened": opened, "rows": rows}


def draw_worst(shown: dict[str, Any], on_open: Callable[[int, int], None]) -> None:
    """What `worst` made. `on_open` as above."""
    data = shown
    _worst(key="worst", data=data, on_open_change=event_callback("worst", "open", _told(on_open)))
