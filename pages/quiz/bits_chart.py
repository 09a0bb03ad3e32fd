"""Chart of a game: surprisal in bits, by round, of the guess, the model's most probable token and the true token.

A tick marks the bits of a uniform guess. The table of rounds beside it contains the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.components import theme
from pages.components.charts import altair_chart
from pages.components.theme import palette
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.quiz.scoring import Outcome

HEIGHT = 220  # pixels
SERIES = ("you", "model", "text")


def points(outcomes: Sequence[Outcome], t: Translator) -> list[dict[str, Any]]:
    """One row for each mark: round, series, token, bits, and the bits of chance. Infinite bits are left out."""
    rows = []
    for number, outcome in enumerate(outcomes, 1):
        for name, guess in zip(SERIES, (outcome.guess, outcome.best, outcome.truth), strict=True):
            if math.isfinite(guess.bits):
                row = {"round": number, "who": t(f"quiz.word.{name}"), "token": guess.text}
                rows.append(row | {"bits": round(guess.bits, 3), "chance": round(outcome.chance, 3)})
    return rows


@cache
def specification(dark: bool, names: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, Any]:
    """Vega-Lite specification without data. names: of SERIES; labels: of the x axis, the y axis and the token."""
    colors = palette(dark)
    axis = altair_chart.axis(colors, labelAngle=0, labelPadding=6, titlePadding=10)
    x = alt.X("round:O", title=labels[0], axis=alt.Axis(**axis, grid=False))
    y = alt.Y("bits:Q", title=labels[1], axis=alt.Axis(**axis, tickCount=5))
    domain = list(names)
    legend = alt.Legend(title=None, orient="top", labelFontSize=13, labelColor=colors.ink, symbolOpacity=1)
    color = alt.Color(
        "who:N", scale=alt.Scale(domain=domain, range=[colors.pick, colors.draw, colors.ink]), legend=legend
    )
    shape = alt.Shape(
        "who:N", scale=alt.Scale(domain=domain, range=["triangle-right", "circle", "diamond"]), legend=legend
    )
    tooltip = [
        alt.Tooltip("who:N", title=" "),
        alt.Tooltip("token:N", title=labels[2]),
        alt.Tooltip("bits:Q", title=labels[1], format=".1f"),
    ]
    marks = alt.Chart().mark_point(filled=True, size=110, opacity=0.9)
    marks = marks.encode(x=x, y=y, color=color, shape=shape, tooltip=tooltip)
    chance = alt.Chart().mark_tick(color=colors.soft, thickness=2, size=22)
    chance = chance.encode(x=x, y=alt.Y("chance:Q", title=labels[1]))
    chart = alt.layer(chance, marks).properties(height=HEIGHT)
    return altair_chart.written(chart, read=True)


def draw(rows: list[dict[str, Any]], t: Translator) -> None:
    """The chart of the rows of `points`."""
    names = tuple(t(f"quiz.word.{name}") for name in SERIES)
    labels = (t("quiz.chart.round"), t("quiz.chart.bits"), t("quiz.word.token"))
    st.vega_lite_chart(
        pa.Table.from_pylist(rows),
        altair_chart.with_fonts(specification(theme.is_dark(), names, labels)),
        width="stretch",
        theme=None,
        key="quiz_chart",
    )
    st.caption(t("quiz.chart.note"))
