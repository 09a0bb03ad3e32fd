"""Line chart of the candidate set sizes of top-k and top-p at each step of a text, with its table."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.components import theme
from pages.components.charts import altair_chart
from pages.components.tables import data_table
from pages.components.text_width import text_width
from pages.components.theme import palette
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.experiments.filter_sizes import FilterSizes


def rows(sizes: list[FilterSizes], t: Translator) -> list[dict[str, Any]]:
    """Rows of the chart: one for each step. word: the token drawn at the step, shortened to 8 characters."""
    return [
        {
            "step": number,
            "word": step.text if len(step.text) <= 8 else f"{step.text[:7]}…",
            "top_k": step.by_top_k,
            "top_p": step.by_top_p,
            "choices": t.number(math.exp(step.entropy)),
        }
        for number, step in enumerate(sizes, 1)
    ]


@cache
def specification(dark: bool, max_size: int, words: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, Any]:
    """Vega-Lite specification of the chart, without its rows.

    max_size: upper end of the y axis, shared by the charts side by side. words: the tokens along the x axis. labels:
    title of the y axis, labels of the top-k and top-p lines, titles of the four tooltip lines, description for screen
    readers.
    """
    colors = palette(dark)
    axis = altair_chart.axis(colors)
    # Tokens can repeat, so x is the step number and only the axis labels are tokens; long ones are slanted.
    slanted = any(text_width(word, 2) > 5 for word in words)
    x_axis = alt.Axis(
        **axis, grid=False, labelExpr="datum.value >= 1 && datum.value <= length(words) ? words[datum.value - 1] : ''",
        labelAngle=-40 if slanted else 0, labelAlign="right" if slanted else "center", labelPadding=8,
        values=list(range(1, len(words) + 1)), labelOverlap=False,
    )  # fmt: skip
    x = alt.X("step:Q", scale=alt.Scale(domain=[0.6, len(words) * 1.16 + 0.6], nice=False), title=None, axis=x_axis)
    powers = [10**i for i in range(6)]
    ticks = [n for n in (powers if max_size >= 10 else (1, 2, 5)) if n <= max_size]
    y_axis = alt.Axis(**axis, values=ticks, format=",d")
    scale = alt.Scale(type="log", domain=[0.9, max_size * 1.2], nice=False)
    tooltip = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in zip(("word", "choices", "top_k", "top_p"), labels[3:-1], strict=True)
    ]

    def line(field: str, label: str, color: str, dash: list[int]) -> list[alt.Chart]:
        y = alt.Y(f"{field}:Q", scale=scale, title=labels[0], axis=y_axis)
        stroke = alt.Chart().mark_line(color=color, strokeWidth=2, strokeDash=dash)
        # The label stands after the end of the line: above it for the higher line, below it for the lower one.
        shift = alt.ExprRef(f"datum.{field} * 2 > datum.top_k + datum.top_p ? -7 : 7")
        text = alt.Chart().transform_filter(f"datum.step == {len(words)}")
        text = text.mark_text(align="left", dx=9, dy=shift, color=color, fontSize=13, fontWeight=600)
        layers = [stroke.encode(x=x, y=y), text.encode(x=x, y=y, text=alt.value(label))]
        if field == "top_p" or len(words) == 1:  # a line of one step would not be seen
            points = alt.Chart().mark_point(color=color, filled=True, size=45, opacity=1)
            layers.append(points.encode(x=x, y=y))
        return layers

    top_p = line("top_p", labels[2], colors.draw, [1, 0])
    hover = alt.Chart().mark_rule(opacity=0, strokeWidth=22).encode(x=x, tooltip=tooltip)
    top_k = line("top_k", labels[1], colors.soft, [5, 4])
    chart = alt.layer(*top_k, *top_p, hover).add_params(alt.param(name="words", value=list(words)))
    return altair_chart.written(chart.properties(height=210, description=labels[-1]))


def draw(chart_rows: list[dict[str, Any]], max_size: int, top_k: int, top_p: float, t: Translator, which: str) -> None:
    """Draw the chart and its table with the result of `rows`. which: the prompt, `flat` or `peaked`."""
    key = f"counts {which}"
    labels = (
        t("compare.flat.y"), f"top-k {top_k}", f"top-p {top_p:g}", t("compare.flat.token"), t("compare.flat.choices"),
        "top-k", "top-p", t("access.counts"),
    )  # fmt: skip
    words = tuple(row["word"] for row in chart_rows)
    chart = altair_chart.with_fonts(specification(theme.is_dark(), max_size, words, labels))
    with st.container(key=f"{key} picture"):
        st.vega_lite_chart(pa.Table.from_pylist(chart_rows), chart, width="stretch", theme=None, key=key)
    cells = [[None, row["word"], f"{row['top_k']:,}", f"{row['top_p']:,}", row["choices"]] for row in chart_rows]
    columns = [labels[3], labels[1], labels[2], labels[4]]
    name = t("access.table.counts", prompt=t(f"compare.flat.{which}"))
    data_table.draw(name, columns, cells, f"{key} table")
