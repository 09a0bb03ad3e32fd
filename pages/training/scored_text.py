"""A text under teacher forcing: tokens shaded by surprise, the worst of them, the text beside itself shifted by one.

`chips`, `worst` and `shifted` make plain data; the components draw it (`forced.js`, `worst.js`, `shifted.js`) and the
first two report a click (`open`: {turn, position}).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components import token_chips
from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score


_chips = register("forced_text", Path(__file__), "token_chips")


def numbers(model: Model, score: Score, t: Translator) -> list[list[str]]:
    """What is counted of the text: [name, value, what it means]."""
    from engine.model.score import bits_per_character

    bits = bits_per_character(model.vocabulary, score)
    values = {
        "predicted": f"{score.predicted:,}",
        "loss": t.number(score.loss, 2),
        "perplexity": t.number(score.perplexity, 1),
        "bits": "–" if bits is None else t.number(bits, 2),
    }
    return [[t(f"training.{name}"), value, t(f"training.{name}_help")] for name, value in values.items()]


def chips(model: Model, score: Score, opened: int | None, turn: int, t: Translator) -> dict[str, Any]:
    """groups as in `cut.chips`; facts: by token [loss in nats or None, as it is read, what resting on it tells]."""
    facts: list[list[Any]] = []
    for value, rank in zip(score.log_probabilities, score.ranks, strict=True):
        if value is None:
            facts.append([None, "", t("strip.first")])
        else:
            told = t("strip.rank", p=t.percent(math.exp(value)), rank=f"{rank:,}")
            facts.append([round(-value, 4), t.number(-value, 1), told])
    return {
        "turn": turn, "opened": opened, "facts": facts, "groups": token_chips.chips(model.vocabulary, score.token_ids),
        "numbers": numbers(model, score, t),
    }  # fmt: skip


def table(model: Model, score: Score, t: Translator) -> list[list[str | None]]:
    """Every token with its numbers, for those who would rather read: rows for `as_table`."""
    rows: list[list[str | None]] = []
    facts = zip(model.pieces(score.token_ids), score.log_probabilities, score.ranks, strict=True)
    for at, (token, value, rank) in enumerate(facts, 1):
        numbers = ("–", "–", "–")  # nothing stands before the first, so nothing predicted it
        if value is not None and rank is not None:
            numbers = (t.percent(math.exp(value)), f"{rank:,}", t.number(-value, 3))
        rows.append([None, str(at), token, *numbers])
    return rows


def draw_chips(shown: dict[str, Any], t: Translator, on_open: Callable[[int, int], None]) -> None:
    """What `chips` made. `on_open` is told the turn and the position."""
    data = shown | {"legend": t("training.legend"), "text": t("access.text")}
    _chips(key="forced", data=data, on_open_change=event_callback("forced", "open", _told(on_open)))


def _told(on_open: Callable[[int, int], None]) -> Callable[[dict[str, Any]], None]:
    return lambda value: on_open(int(value["turn"]), int(value["position"]))
