"""The least expected tokens of a text under teacher forcing, each with its context and the model's own prediction.

The component (`surprises.js`) reports a click on a row (`open`: {turn, position}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score

MAX_ROWS = 6
_CONTEXT = 6  # tokens displayed before the unexpected one

_component = register("worst_surprises", Path(__file__))


def data(model: Model, score: Score, opened: int | None, turn: int, t: Translator) -> dict[str, Any]:
    """Data of the component: rows of [position, context, token, its numbers, most probable token], by descending loss.

    The most probable token is "" where it is the token itself.
    """
    from engine.model.score import least_expected

    labels = model.pieces(score.token_ids)
    rows = []
    for at in least_expected(score, MAX_ROWS):
        value, rank = score.log_probabilities[at], score.ranks[at]
        assert value is not None
        distribution = model.distribution(score.token_ids[:at])
        best = distribution.candidate(distribution.argmax())
        numbers = t("training.worst_told", p=t.percent_of_log(value), rank=f"{rank:,}", loss=t.number(-value, 1))
        expected = t("training.expected", token=best.text, p=t.percent(best.raw)) if rank != 1 else ""
        context = ("… " if at > _CONTEXT else "") + " ".join(labels[max(0, at - _CONTEXT) : at])
        rows.append([at, context, labels[at], numbers, expected])
    return {"turn": turn, "opened": opened, "rows": rows}


def draw(payload: dict[str, Any], on_open: Callable[[int, int], None]) -> None:
    """Draw the result of `data`. on_open(turn, position): a row was clicked."""
    on_change = event_callback("worst", "open", lambda value: on_open(int(value["turn"]), int(value["position"])))
    _component(key="worst", data=payload, on_open_change=on_change)
