"""Exposure bias on the limits page: loss of the same endings after true and generated prefixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.components.tables import data_table
from pages.i18n.translator import Translator
from pages.limits import line_chart
from pages.limits.line_chart import Line, Point
from pages.limits.state import EQUAL_WITHIN
from pages.session.incremental_run import IncrementalRun

if TYPE_CHECKING:
    from engine.experiments.exposure_bias import ExposureBias, Gap, Prefix
    from engine.model.model import Model

# Color, dash and mark of each curve, by kind of prefix.
_STYLES = {
    "true": ("draw", "solid", "circle"),
    "own": ("pick", "dashed", "square"),
    "other": ("soft", "dotted", "triangle-up"),
}


def curves(exposure: ExposureBias, t: Translator) -> list[Line]:
    """One curve a kind of prefix: mean loss at each position of the endings, in nats."""
    kinds: list[Prefix] = ["true", "own", "other"]
    return [
        Line(t(f"limits.exposure.{kind}"), *_STYLES[kind],
             [Point(i, v, t.number(v, 2)) for i, v in enumerate(exposure.loss(kind).by_position, 1)])
        for kind in kinds
    ]  # fmt: skip


def sentences(exposure: ExposureBias, t: Translator) -> list[str]:
    """Increase of the loss after generated prefixes, whether it is exposure bias, and whether the model recovers.

    It counts as exposure bias only if `own` exceeds `other` by more than two standard errors, and as recovered if the
    mean increase over the last three positions is less than half of that over the first three. Where there is no
    standard error (one text), or no increase over the first three positions, nothing is said of it.
    """
    from engine.experiments.exposure_bias import gap

    true, own, other = (exposure.loss(kind) for kind in ("true", "own", "other"))
    rise, beyond = gap(own, true), gap(own, other)
    numbers = {"true": t.number(true.mean, 2), "own": t.number(own.mean, 2), "other": t.number(other.mean, 2)}
    key = "rose" if rise.mean > EQUAL_WITHIN else "equal" if rise.mean >= -EQUAL_WITHIN else "did_not_rise"
    difference = t.number(abs(rise.mean), 2)
    result = [t(f"limits.exposure.{key}", above=rise.above, texts=len(own.by_text), difference=difference, **numbers)]
    if rise.mean > EQUAL_WITHIN:
        result.append(_comparison_with_other(beyond, numbers["other"], t))
        first, last = (
            sum(own.by_position[i] - true.by_position[i] for i in positions) / len(positions)
            for positions in (range(3), range(len(own.by_position) - 3, len(own.by_position)))
        )
        if first > EQUAL_WITHIN:
            key = "recovers" if last < first / 2 else "does_not_recover"
            result.append(t(f"limits.exposure.{key}", first=t.number(first, 2), last=t.number(last, 2)))
    return result


def _comparison_with_other(beyond: Gap, other: str, t: Translator) -> str:
    """Whether the loss after the model's own prefixes exceeds that after unrelated true ones."""
    if beyond.error is None:
        return t("limits.exposure.one_text", other=other)
    key = "like_other"
    if abs(beyond.mean) > 2 * beyond.error:
        key = "beyond" if beyond.mean > 0 else "below"
    numbers = {"difference": t.number(abs(beyond.mean), 2), "error": t.number(beyond.error, 2)}
    return t(f"limits.exposure.{key}", other=other, **numbers)


def draw(run: IncrementalRun, model: Model, t: Translator) -> None:
    """Curves, sentences and texts of a finished run; of an unfinished one, only the number of texts left out."""
    exposure = run.work
    texts = run.asked[0]
    if len(exposure.used) < len(texts):
        st.caption(t("limits.exposure.left_out", count=len(texts) - len(exposure.used)))
    if not exposure.finished:
        return
    lines = curves(exposure, t)
    axes = line_chart.Axes(t("limits.exposure.x"), t("limits.exposure.y"))
    line_chart.draw(lines, axes, "limits_exposure", 260)
    for sentence in sentences(exposure, t):
        st.markdown(sentence)
    st.caption(t("limits.exposure.note"))
    line_chart.draw_table(lines, axes, 2, t, "limits_exposure_table")
    columns = [t(f"limits.exposure.{name}") for name in ("text", "own_middle", "true_middle")]
    rows = [
        [None, exposure.beginning(i), exposure.own_middle(i), exposure.middle(i)] for i in range(len(exposure.used))
    ]
    data_table.draw(t("limits.exposure.written"), columns, rows, key="limits_written")
