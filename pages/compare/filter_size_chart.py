"""How many tokens top-k and top-p leave at each step along a text: a level line, and one that goes its own way."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.components import altair_chart, data_table, theme
from pages.components.theme import palette
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.experiments.filter_sizes import FilterSizes


def rows(kept: list[FilterSizes], t: Translator) -> list[dict[str, Any]]:
    """One row a step. `word`: the token that was drawn there."""
    return [
        {
            "step": at,
            "word": step.text if len(step.text) <= 8 else f"{step.text[:7]}…",
            "top_k": step.by_top_k,
            "top_p": step.by_top_p,
            "choices": t.number(math.exp(step.entropy)),
        }
        for at, step in enumerate(kept, 1)
    ]


@cache
def specification(dark: bool, most: int, words: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, Any]:
    """The chart without its rows. `most`: the upper end, shared by charts that stand beside each other; `words`: the
    tokens along the text; `labels`: of the upright axis, of both lines, then titles of the tooltip's lines; last,
    what the picture shows, for those who cannot see it."""
    colors = palette(dark)
    axis = altair_chart.axis(colors)
    # Tokens repeat, so the axis counts steps and only reads the words; long ones stand at a slant.
    slanted = any(altair_chart.text_width(word, 2) > 5 for word in words)
    along = alt.Axis(
        **axis, grid=False, labelExpr="datum.value >= 1 && datum.value <= length(words) ? words[datum.value - 1] : ''",
        labelAngle=-40 if slanted else 0, labelAlign="right" if slanted else "center", labelPadding=8,
        values=list(range(1, len(words) + 1)), labelOverlap=False,
    )  # fmt: skip
    x = alt.X("step:Q", scale=alt.Scale(domain=[0.6, len(words) * 1.16 + 0.6], nice=False), title=None, axis=along)
    powers = [10**i for i in range(6) if 10**i <= most]
    y_axis = alt.Axis(**axis, values=powers, format=",d")
    scale = alt.Scale(type="log", domain=[0.9, most * 1.2], nice=False)
    titles = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in zip(("word", "choices", "top_k", "top_p"), labels[3:-1], strict=True)
    ]

    def line(field: str, label: str, color: str, dash: list[int]) -> list[alt.Chart]:
        y = alt.Y(f"{field}:Q", scale=scale, title=labels[0], axis=y_axis)
        drawn = alt.Chart().mark_line(color=color, strokeWidth=2, strokeDash=dash)
        # Named behind its end, the higher line above the lower one.
        shift = alt.ExprRef(f"datum.{field} * 2 > datum.top_k + datum.top_p ? -7 : 7")
        text = alt.Chart().transform_filter(f"datum.step == {len(words)}")
        text = text.mark_text(align="left", dx=9, dy=shift, color=color, font=theme.SANS, fontSize=13, fontWeight=600)
        return [drawn.encode(x=x, y=y), text.encode(x=x, y=y, text=alt.value(label))]

    own_way = line("top_p", labels[2], colors.draw, [1, 0])
    points = alt.Chart().mark_point(color=colors.draw, filled=True, size=45, opacity=1)
    own_way.append(points.encode(x=x, y=alt.Y("top_p:Q", scale=scale, title=labels[0], axis=y_axis)))
    hover = alt.Chart().mark_rule(opacity=0, strokeWidth=22).encode(x=x, tooltip=titles)
    level = line("top_k", labels[1], colors.soft, [5, 4])
    chart = alt.layer(*level, *own_way, hover).add_params(alt.param(name="words", value=list(words)))
    return altair_chart.written(chart.properties(height=210, description=labels[-1]))


def draw(table: list[dict[str, Any]], most: int, top_k: int, top_p: float, t: Translator, key: str) -> None:
    """The chart of what `rows` made, and its table."""
    labels = (
        t("compare.flat.y"), f"top-k {top_k}", f"top-p {top_p:g}", t("compare.flat.token"), t("compare.flat.choices"),
        "top-k", "top-p", t("access.counts"),
    )  # fmt: skip
    words = tuple(row["word"] for row in table)
    chart = specification(theme.is_dark(), most, words, labels)
    with st.container(key=f"{key} picture"):
        st.vega_lite_chart(pa.Table.from_pylist(table), chart, width="stretch", theme=None, key=key)
    cells = [[None, row["word"], f"{row['top_k']:,}", f"{row['top_p']:,}", row["choices"]] for row in table]
    columns = [labels[3], labels[1], labels[2], labels[4]]
    data_table.draw(t("access.table.counts"), columns, cells, f"{key} table")
