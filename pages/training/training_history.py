"""How a prompt's prediction took shape while the bundled model was trained: bars, lines and the loss, step by step.

`data` makes plain data of the record; the component (`learning.js`) moves through it by itself and reports where it
rests (`at`: {moment}).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.bundled.training_history import Learned
    from engine.model.model import Model

BARS = 8  # tokens shown at a moment
LINES = 5  # the likeliest tokens at the end, followed through the training

_learning = register("learning", Path(__file__), "stepper", "collapsible_table")


def data(found: Learned, model: Model, prompt: str, at: int, t: Translator) -> dict[str, Any]:
    """Everything that one prompt needs.

    moments  [step, loss or None, [[token id, probability] …] likeliest first, probability of all others]
    lines    [token id, [probability at each moment, None where it was not written down]], the winner first
    words    token id → what is read
    chance   loss of a model that holds all tokens of the vocabulary for equally likely
    """
    pending = model.vocabulary.pending(model.encode(prompt))
    moments: list[list[Any]] = []
    named: set[int] = set()
    for moment in found.moments:
        shown = moment.likeliest[prompt][:BARS]
        named |= {token_id for token_id, _ in shown}
        others = max(0.0, 1 - sum(p for _, p in shown))
        moments.append([moment.step, moment.loss, [list(pair) for pair in shown], round(others, 5)])
    followed = [token_id for token_id, _ in found.moments[-1].likeliest[prompt][:LINES]]  # all of them bars in the end
    lines = [[token_id, [moment.probability(prompt, token_id) for moment in found.moments]] for token_id in followed]
    return {
        "prompt": prompt,
        "at": at,
        "moments": moments,
        "lines": lines,
        "words": {str(token_id): model.vocabulary.label(token_id, pending) for token_id in named},
        "others": t("bars.others", count=f"{model.vocabulary.size - BARS:,}"),
        "chance": math.log(model.vocabulary.size),
    }


def now(found: Learned, model: Model, prompt: str) -> tuple[int, float, float]:
    """The token that won in the end: (id, probability written down last, what the model gives it now)."""
    token_id, recorded = found.moments[-1].likeliest[prompt][0]
    return token_id, recorded, model.distribution(model.encode(prompt)).candidate(token_id).raw


def draw(shown: dict[str, Any], t: Translator, on_rest: Callable[[int], None]) -> None:
    """What `data` made. `on_rest` is told the index of a moment."""

    def told(value: dict[str, Any]) -> None:
        on_rest(int(value["moment"]))

    words = (
        "next", "back", "play", "pause", "at", "slider", "bars", "lines", "loss", "chance", "missing", "table", "step",
        "likeliest",
    )  # fmt: skip
    labels = {word: t(f"training.learned.{word}") for word in words}
    _learning(
        key="learning",
        data=shown | {"labels": labels},
        on_at_change=event_callback("learning", "at", told),
    )
