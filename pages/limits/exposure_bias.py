"""Exposure bias on the limits page: loss of the same endings after true and generated prefixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.i18n.translator import Translator
from pages.limits import line_chart
from pages.limits.line_chart import Line, Point
from pages.limits.state import EQUAL_WITHIN
from pages.session.incremental_run import IncrementalRun

if TYPE_CHECKING:
    from engine.experiments.exposure_bias import ExposureBias, Prefix
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
    mean increase over the last three positions is less than half of that over the first three.
    """
    from engine.experiments.exposure_bias import gap

    true, own, other = (exposure.loss(kind) for kind in ("true", "own", "other"))
    rise, beyond = gap(own, true), gap(own, other)
    numbers = {"true": t.number(true.mean, 2), "own": t.number(own.mean, 2), "other": t.number(other.mean, 2)}
    key = "rose" if rise.mean > EQUAL_WITHIN else "did_not_rise"
    difference = t.number(abs(rise.mean), 2)
    result = [t(f"limits.exposure.{key}", above=rise.above, texts=len(own.by_text), difference=difference, **numbers)]
    if rise.mean > EQUAL_WITHIN:
        error = beyond.error or 0.0
        key = "beyond" if beyond.mean > 2 * error else "below" if beyond.mean < -2 * error else "like_other"
        result.append(
            t(f"limits.exposure.{key}", other=numbers["other"], difference=t.number(abs(beyond.mean), 2),
              error=t.number(error, 2))
        )  # fmt: skip
        first, last = (
            sum(own.by_position[i] - true.by_position[i] for i in positions) / len(positions)
            for positions in (range(3), range(len(own.by_position) - 3, len(own.by_position)))
        )
        key = "recovers" if last < first / 2 else "does_not_recover"
        result.append(t(f"limits.exposure.{key}", first=t.number(first, 2), last=t.number(last, 2)))
    return result


def draw(run: IncrementalRun, model: Model, t: Translator) -> None:
    """Curves, sentences and texts of a finished run; of an unfinished one, only the number of texts left out."""
    exposure = run.work
    texts = run.asked[0]
    if len(exposure.used) < len(texts):
        st.caption(t("limits.exposure.left_out", count=len(texts) - len(exposure.used)))
    if not exposure.finished:
        return
    lines = curves(exposure, t)
    axes = line_chart.Axes(t("limits.exposure.x"), t("limits.exposure.y"), ".0f")
    line_chart.draw(lines, axes, "limits_exposure", 260)
    for sentence in sentences(exposure, t):
        st.markdown(sentence)
    st.caption(t("limits.exposure.note"))
    line_chart.draw_table(lines, t("limits.exposure.x"), 2, t, "limits_exposure_table")
    with st.expander(t("limits.exposure.written")):
        st.dataframe(
            {
                t("limits.exposure.text"): [exposure.beginning(i) for i in range(len(exposure.used))],
                t("limits.exposure.own_middle"): [exposure.own_middle(i) for i in range(len(exposure.used))],
                t("limits.exposure.true_middle"): [exposure.middle(i) for i in range(len(exposure.used))],
            },
            hide_index=True,
            key="limits_written",
        )
