"""Table of generated texts as rows of token chips with their measures, sortable by measure.

A page builds the rows with `chips` and `numbers`; the component (`text_table.js`) draws them and reports a click on a
row's button (`take`: {turn, entry, text}).
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

SHOWN = ("per_token", "distinct_2", "repetition")  # always visible; the others only while rows are sorted by them
# Every measure, and whether sorting by it begins with the highest value.
ORDER = {
    "per_token": True, "log_probability": True, "perplexity": False, "distinct_1": True, "distinct_2": True,
    "repetition": True, "tokens_per_second": True, "passes": False,
}  # fmt: skip

_table = register("compared_texts", Path(__file__), "collapsible_table")


def chips(model: Model, prompt: tuple[int, ...], text: Continuation, t: Translator) -> list[list[Any]]:
    """Chips of a continuation; tokens that together encode one character are one chip.

    Each is [text, probability of each of its tokens, tooltip, repeated, special]; `repeated` is 1 in an n-gram that
    occurred before (see `repeated_ngrams`), 2 for its first token, else 0.
    """
    ids = (*prompt, *text.token_ids)
    repeated = dict.fromkeys(range(len(text.token_ids)), 0)
    for first, last in repeated_ngrams(text.token_ids):
        repeated |= dict.fromkeys(range(first, last), 1) | {first: 2}
    labels = model.pieces(ids)
    result = []
    for first, last, characters in model.vocabulary.groups(ids):
        first = max(first, len(prompt))
        if first >= last:
            continue
        positions = range(first - len(prompt), last - len(prompt))
        values = [text.log_probabilities[i] for i in positions]
        p = [math.exp(value) for value in values]
        tooltip = "\n".join(f"{labels[first + i]}  {t.percent_of_log(value)}" for i, value in enumerate(values))
        special = ids[first] in model.vocabulary.special
        mark = max(repeated[i] for i in positions)
        result.append([characters, [round(value, 5) for value in p], tooltip, mark, special])
    return result


def numbers(measures: Measures, cost: Cost | None, t: Translator) -> dict[str, list[Any]]:
    """[value or None, formatted value] by measure. Without a `cost`, speed and passes are None."""
    values: dict[str, float | None] = {
        measure: getattr(cost if measure in ("tokens_per_second", "passes") else measures, measure, None)
        for measure in ORDER
    }
    return {measure: [_finite(value), read(measure, value, t)] for measure, value in values.items()}


def _finite(value: float | None) -> float | None:
    """The value if JSON can represent it; an infinite one becomes None, which is sorted last."""
    return value if value is not None and math.isfinite(value) else None


def read(measure: str, value: float | None, t: Translator) -> str:
    """Formatted value of a measure."""
    if value is None:
        return "–"
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
    """The table.

    data     {turn, groups}; a group is {name, note, status, numbers, texts}, a text {seed, status, chips, numbers, at}
             with `at` [entry, text] as `on_take` receives it
    on_take  called with {turn, entry, text}
    columns  see `column`; by default all measures, with sorting, else the rows keep their order
    """
    labels: dict[str, Any] = {
        name: t(f"compare.{name}") for name in ("sort", "by_way", "turn_round", "take", "take_help")
    }
    labels |= {"table": t("access.table.texts"), "told": t.list("access.columns.texts")}
    data = data | {
        "labels": labels | {"legend": t(legend)},
        "measures": columns or [column(measure, t) for measure in ORDER],
        "sortable": columns is None,
    }
    _table(key=key, data=data, on_take_change=event_callback(key, "take", on_take))


def column(measure: str, t: Translator, always: bool | None = None) -> list[Any]:
    """A measure as a column: [key, name, help, highest first, always visible]."""
    visible = measure in SHOWN if always is None else always
    return [measure, t(f"compare.measure.{measure}"), t(f"compare.help.{measure}"), ORDER[measure], visible]
