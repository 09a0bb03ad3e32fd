"""Cloze on the limits page: candidates for a gap, scored by the left context alone and by the whole sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.components.charts import probability_bars
from pages.components.tables import data_table, shaded_tokens, text_table
from pages.components.text_width import text_width
from pages.i18n.translator import Translator
from pages.session.incremental_run import IncrementalRun

if TYPE_CHECKING:
    from engine.experiments.cloze import Cloze
    from engine.model.model import Model


_MAX_WORD_WIDTH = 82  # pixels left of a bar


def bars(cloze: Cloze, turn: int, t: Translator) -> list[dict[str, Any]]:
    """Rows for `probability_bars.draw`, one a candidate, sorted by descending probability of the whole sentence.

    The thin bar (`raw`) is P(candidate | left), the thick one (`shown`) includes the right part.
    """
    best = cloze.from_both
    full = max(max(f.left_alone, f.whole) for f in cloze.candidates)
    order = sorted(range(len(cloze.candidates)), key=lambda i: -cloze.candidates[i].whole)
    rows = []
    for at, i in enumerate(order):
        filled = cloze.candidates[i]
        before, after = t.percent(filled.left_alone), t.percent(filled.whole)
        rows.append(
            {
                "at": at,
                "word": filled.text,
                "wide": min(text_width(filled.text), _MAX_WORD_WIDTH),
                "raw": filled.left_alone,
                "shown": filled.whole,
                "state": "pick" if filled is best else "draw",
                "differs": before != after,
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
    return rows


def text_groups(cloze: Cloze, model: Model, turn: int, t: Translator) -> dict[str, Any]:
    """Data for `text_table.draw`: each candidate with the right part, as token chips with their log-probabilities."""
    from engine.decoding.batch_generation import Continuation  # imports torch: only once a model is loaded

    rows = []
    for at, filled in enumerate(cloze.candidates):
        before = filled.token_ids[: filled.first]
        continuation = Continuation(None, filled.token_ids[filled.first :], filled.log_probabilities)
        values = {"left": filled.log_left, "right": filled.log_right, "both": filled.log_left + filled.log_right}
        numbers = {name: [value, t.number(value, 1)] for name, value in values.items()}
        chips = text_table.chips(model, before, continuation, t)
        rows.append({"seed": "", "chips": chips, "status": "", "numbers": numbers, "at": [0, at]})
    name, note = t("limits.left.rows"), t("limits.left.rows_note")
    return {"turn": turn, "groups": [{"name": name, "note": note, "status": "", "numbers": {}, "texts": rows}]}


def text_columns(t: Translator) -> list[list[Any]]:
    """Number columns beside the texts, for `text_table.draw`."""
    return [
        [name, t(f"limits.left.column.{name}"), t(f"limits.left.column_help.{name}"), True, True]
        for name in ("left", "right", "both")
    ]


def table_columns(t: Translator) -> list[str]:
    """Column titles of `table_rows`."""
    return [t(f"limits.left.{name}") for name in ("candidate", "thin", "solid", "column.left", "column.right")]


def table_rows(cloze: Cloze, t: Translator) -> list[list[str | None]]:
    """The numbers of the bars as rows for `data_table.draw`."""
    return [
        [None, f.text, t.percent(f.left_alone), t.percent(f.whole), t.number(f.log_left, 2), t.number(f.log_right, 2)]
        for f in cloze.candidates
    ]


def sentences(cloze: Cloze, model: Model, t: Translator) -> list[str]:
    """Best candidate by the left part and by the whole sentence, and the most probable next tokens after the left part.

    Also names the candidates that were tokenized separately from their context.
    """
    left, both = cloze.from_left, cloze.from_both
    numbers = {
        "left": left.text, "both": both.text, "p_left": t.percent(left.left_alone), "p_both": t.percent(both.whole),
        "before": t.percent(both.left_alone),
    }  # fmt: skip
    result = [t("limits.left.turned" if left is not both else "limits.left.not_turned", **numbers)]
    if not cloze.right:
        result = [t("limits.left.nothing_right", **numbers)]
    top = model.distribution(cloze.left_ids).top(5)
    words = t("limits.left.comma").join(f"{c.text.replace('␣', '')} {t.percent(c.raw)}" for c in top)
    result.append(t("limits.left.alone", words=words))
    if not all(filled.joined for filled in cloze.candidates):
        names = t("limits.left.comma").join(filled.text for filled in cloze.candidates if not filled.joined)
        result.append(t("limits.left.apart", names=names))
    return result


def draw(run: IncrementalRun, model: Model, t: Translator, on_take: Callable[[dict[str, Any]], None]) -> None:
    """Bars, sentences and texts of a run. `on_take` is called with the event of the text to open on the step page."""
    cloze: Cloze | None = run.work.result
    if cloze is None:
        return
    if not run.running:
        shaded_tokens.draw([], sentences(cloze, model, t), "limits_left_told")
    labels = tuple(t(f"limits.left.tip.{name}") for name in ("tokens", "log_left", "left", "whole", "log_right"))
    probability_bars.draw(bars(cloze, run.turn, t), t, lambda *_: None, "limits_bars", labels)
    st.caption(t("limits.left.legend"))
    text_table.draw(
        text_groups(cloze, model, run.turn, t), t, on_take, "limits_cloze", text_columns(t), "limits.left.rows_legend",
    )  # fmt: skip
    data_table.draw(
        t("limits.table", chart=t("limits.left.list")), table_columns(t), table_rows(cloze, t), "limits_left_table"
    )
