"""The texts of all strategies as rows of chips with their numbers, to be sorted by any measure; one can be taken.

`rows` makes plain data of a comparison; the component draws it (`texts.js`) and reports a click on a row's button
(`take`: {turn, entry, text}).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.decoding.text_metrics import Measures, repeated_ngrams
from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation, Cost
    from engine.model.model import Model

SHOWN = ("per_token", "distinct_2", "repetition")  # always in sight
# Every measure, and whether the highest one comes first when rows are sorted by it.
ORDER = {
    "per_token": True, "log_probability": True, "perplexity": False, "distinct_1": True, "distinct_2": True,
    "repetition": True, "tokens_per_second": True, "passes": False,
}  # fmt: skip

_texts = register("compared_texts", Path(__file__), "collapsible_table")


def chips(model: Model, prompt: tuple[int, ...], text: Continuation, t: Translator) -> list[list[Any]]:
    """[what is read, probability of each token in it, what resting on it tells, repeated: 0, 1 or 2 for the first of
    a span, special]. Tokens that make up one character together are one chip."""
    ids = (*prompt, *text.token_ids)
    repeated = dict.fromkeys(range(len(text.token_ids)), 0)
    for first, last in repeated_ngrams(text.token_ids):
        repeated |= dict.fromkeys(range(first, last), 1) | {first: 2}
    labels = model.pieces(ids)
    made = []
    for first, last, read in model.vocabulary.groups(ids):
        first = max(first, len(prompt))
        if first >= last:
            continue
        places = range(first - len(prompt), last - len(prompt))
        p = [math.exp(text.log_probabilities[i]) for i in places]
        told = "\n".join(f"{labels[first + i]}  {t.percent(value)}" for i, value in enumerate(p))
        special = ids[first] in model.vocabulary.special
        made.append([read, [round(value, 5) for value in p], told, max(repeated[i] for i in places), special])
    return made


def numbers(found: Measures, cost: Cost | None, t: Translator) -> dict[str, list[Any]]:
    """By measure [value or None, as it is read]. Without a cost, what it took is left out."""
    values: dict[str, float | None] = {
        measure: getattr(cost if measure in ("tokens_per_second", "passes") else found, measure, None)
        for measure in ORDER
    }
    return {measure: [_finite(value), read(measure, value, t)] for measure, value in values.items()}


def _finite(value: float | None) -> float | None:
    """As JSON has it: what is infinite stands last like what is not there."""
    return value if value is not None and math.isfinite(value) else None


def read(measure: str, value: float | None, t: Translator) -> str:
    """A measure as it is written beside a text."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞"
    if measure == "repetition":
        return t.percent(value)
    digits = {"per_token": 2, "log_probability": 1, "perplexity": 1, "distinct_1": 2, "distinct_2": 2}
    return t.number(value, digits.get(measure, 0))


def draw(
    data: dict[str, Any],
    t: Translator,
    on_take: Callable[[Any], None],
    key: str = "texts",
    columns: list[list[Any]] | None = None,
    legend: str = "compare.legend",
) -> None:
    """`data` is what `rows` made. `on_take` is told {turn, entry, text}.

    columns: the measures, each [key, name, help, highest first, always in sight]; all of them by default. Where they
    are given, the rows stay in the order in which they are.
    """

    labels: dict[str, Any] = {
        word: t(f"compare.{word}") for word in ("sort", "by_way", "turn_round", "take", "take_help")
    }
    labels |= {"table": t("access.table.texts"), "told": t.list("access.columns.texts")}
    shown = data | {
        "labels": labels | {"legend": t(legend)},
        "measures": columns or [column(measure, t) for measure in ORDER],
        "sortable": columns is None,
    }
    _texts(key=key, data=shown, on_take_change=event_callback(key, "take", on_take))


def column(measure: str, t: Translator, always: bool | None = None) -> list[Any]:
    """A measure as a column: [key, name, help, highest first, always in sight]."""
    shown = measure in SHOWN if always is None else always
    return [measure, t(f"compare.measure.{measure}"), t(f"compare.help.{measure}"), ORDER[measure], shown]
