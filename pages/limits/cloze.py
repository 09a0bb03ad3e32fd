"""Cloze on the limits page: a gap filled from the left context alone, and with the whole sentence scored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.components import altair_chart, data_table, probability_bars, shaded_tokens, text_table
from pages.i18n.translator import Translator
from pages.session.incremental_run import IncrementalRun

if TYPE_CHECKING:
    from engine.experiments.cloze import Cloze
    from engine.model.model import Model


_WIDE = 82  # pixels that a bar's word may take


def cloze_bars(found: Cloze, turn: int, t: Translator) -> list[dict[str, Any]]:
    """One row a candidate, likeliest with the whole sentence first: thin the left part alone, solid the whole."""
    best = found.from_both
    full = max(max(f.left_alone, f.whole) for f in found.filled)
    order = sorted(range(len(found.filled)), key=lambda i: -found.filled[i].whole)
    table = []
    for at, i in enumerate(order):
        filled = found.filled[i]
        before, after = t.percent(filled.left_alone), t.percent(filled.whole)
        table.append(
            {
                "at": at,
                "word": filled.text,
                "wide": min(altair_chart.text_width(filled.text), _WIDE),
                "raw": filled.left_alone,
                "shown": filled.whole,
                "state": "pick" if filled is best else "draw",
                "branch": False,
                "value": f"{before} → {after}" + ("  ▶" if filled is best else ""),
                "token": str(filled.last - filled.first),
                "rank": t.number(filled.log_left, 2),
                "believed": before,
                "drawn": after,
                "reason": t.number(filled.log_right, 2),
                "pick": f"{turn}:{i}",
                "full": full,
            }
        )
    return table


def cloze_rows(found: Cloze, model: Model, turn: int, t: Translator) -> dict[str, Any]:
    """Each candidate with the right part after it, as the model read them."""
    from engine.decoding.batch_generation import Continuation  # torch comes with it: not before a model is there

    rows = []
    for at, filled in enumerate(found.filled):
        before = filled.token_ids[: filled.first]
        written = Continuation(None, filled.token_ids[filled.first :], filled.log_probabilities)
        values = {"left": filled.log_left, "right": filled.log_right, "both": filled.log_left + filled.log_right}
        numbers = {name: [value, t.number(value, 1)] for name, value in values.items()}
        chips = text_table.chips(model, before, written, t)
        rows.append({"seed": "", "chips": chips, "status": "", "numbers": numbers, "at": [0, at]})
    name, note = t("limits.left.rows"), t("limits.left.rows_note")
    return {"turn": turn, "groups": [{"name": name, "note": note, "status": "", "numbers": {}, "texts": rows}]}


def cloze_columns(t: Translator) -> list[list[Any]]:
    """The numbers beside each candidate."""
    return [
        [name, t(f"limits.left.column.{name}"), t(f"limits.left.column_help.{name}"), True, True]
        for name in ("left", "right", "both")
    ]


def cloze_columns_read(t: Translator) -> list[str]:
    """What the columns of `cloze_table` are."""
    return [t(f"limits.left.{name}") for name in ("candidate", "thin", "solid", "column.left", "column.right")]


def cloze_table(found: Cloze, t: Translator) -> list[list[str | None]]:
    """The bars as rows for `as_table`."""
    return [
        [None, f.text, t.percent(f.left_alone), t.percent(f.whole), t.number(f.log_left, 2), t.number(f.log_right, 2)]
        for f in found.filled
    ]


def left_plain(found: Cloze, model: Model, t: Translator) -> list[str]:
    """What the left part prefers, what the whole sentence prefers, and what the model would have written itself."""
    left, both = found.from_left, found.from_both
    numbers = {
        "left": left.text, "both": both.text, "p_left": t.percent(left.left_alone), "p_both": t.percent(both.whole),
        "before": t.percent(both.left_alone),
    }  # fmt: skip
    told = [t("limits.left.turned" if left is not both else "limits.left.not_turned", **numbers)]
    if not found.right:
        told = [t("limits.left.nothing_right", **numbers)]
    top = model.distribution(found.left_ids).top(5)
    words = t("limits.left.comma").join(f"{c.text.replace('␣', '')} {t.percent(c.raw)}" for c in top)
    told.append(t("limits.left.alone", words=words))
    if not all(filled.joined for filled in found.filled):
        names = t("limits.left.comma").join(filled.text for filled in found.filled if not filled.joined)
        told.append(t("limits.left.apart", names=names))
    return told


def draw(run: IncrementalRun, model: Model, t: Translator, on_take: Callable[[dict[str, Any]], None]) -> None:
    """Bars, sentences and texts of a run; `on_take` gets the event of a sentence to be opened on the step page."""
    found = run.work
    shaded_tokens.draw([], left_plain(found, model, t), "limits_left_told")
    labels = tuple(t(f"limits.left.tip.{name}") for name in ("tokens", "log_left", "left", "whole", "log_right"))
    probability_bars.draw(cloze_bars(found, run.turn, t), t, lambda *_: None, "limits_bars", labels)
    st.caption(t("limits.left.legend"))
    text_table.draw(
        cloze_rows(found, model, run.turn, t), t,
        on_take, "limits_cloze", cloze_columns(t),
        "limits.left.rows_legend",
    )  # fmt: skip
    data_table.draw(
        t("limits.table"),
        cloze_columns_read(t),
        cloze_table(found, t),
        "limits_left_table",
    )
