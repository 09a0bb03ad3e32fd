"""Line chart over an integer axis, with a color, dash and mark for each line and a legend above the plot.

`Line` objects in; an Altair specification and a table of the same numbers out. The table makes the chart accessible.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.components import theme
from pages.components.charts import altair_chart
from pages.components.tables import data_table
from pages.components.theme import palette
from pages.i18n.translator import Translator

_LEGEND, _ROW = 60, 22  # pixels: x axis with margins, height of a legend entry
DASHES = {"solid": [1, 0], "dashed": [7, 4], "dotted": [2, 3]}


class Point(NamedTuple):
    """x; y, or None for a gap; text of the tooltip."""

    x: float
    y: float | None
    tooltip: str


class Line(NamedTuple):
    """name; color: a field of `Palette`; dash: a key of `DASHES`; mark: a Vega shape; points."""

    name: str
    color: str
    dash: str
    mark: str
    points: list[Point]


class Axes(NamedTuple):
    """Axis titles; the values that x will have, for a chart that is drawn while they are measured, else empty."""

    x: str
    y: str
    x_values: tuple[int, ...] = ()


def point_rows(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """One row for each point that has a value."""
    return [
        {"line": line.name, "x": float(p.x), "y": float(p.y), "tooltip": p.tooltip}
        for line in lines for p in line.points if p.y is not None
    ]  # fmt: skip


@cache
def specification(dark: bool, styles: tuple[tuple[str, str, str, str], ...], axes: Axes, height: int) -> dict[str, Any]:
    """Vega-Lite specification without data. styles: (name, color, dash, mark) of each line; height: plot, in pixels."""
    colors = palette(dark)
    axis = altair_chart.axis(colors, labelPadding=6)
    names = [name for name, *_ in styles]
    legend = alt.Legend(
        orient="top", direction="vertical", title=None, labelFontSize=13, labelColor=colors.ink,
        symbolSize=80, symbolStrokeWidth=0, labelLimit=330, rowPadding=3, offset=8,
    )  # fmt: skip
    x_axis: dict[str, Any] = axis | {"grid": False, "tickMinStep": 1, "format": "d", "labelOverlap": True}
    x_scale: dict[str, Any] = {"nice": False, "padding": 8}
    if axes.x_values:
        x_axis["values"], x_scale["domain"] = list(axes.x_values), [axes.x_values[0], axes.x_values[-1]]
    x = alt.X("x:Q", title=axes.x, axis=alt.Axis(**x_axis), scale=alt.Scale(**x_scale))
    # Without a format Vega writes as many decimals as the ticks need; for a single 0 it writes six.
    y_axis = alt.Axis(**axis, tickCount=4, labelExpr="datum.value === 0 ? '0' : datum.label")
    y = alt.Y("y:Q", title=axes.y, axis=y_axis)
    color_scale = alt.Scale(domain=names, range=[getattr(colors, color) for _, color, _, _ in styles])
    dash_scale = alt.Scale(domain=names, range=[DASHES[dash] for *_, dash, _ in styles])
    shape_scale = alt.Scale(domain=names, range=[mark for *_, mark in styles])
    color = alt.Color("line:N", scale=color_scale, legend=legend)
    shape = alt.Shape("line:N", scale=shape_scale, legend=legend)
    tooltip = [alt.Tooltip("line:N", title=" "), alt.Tooltip("tooltip:N", title="  ")]
    curves = alt.Chart().mark_line(strokeWidth=2.5)
    curves = curves.encode(x=x, y=y, color=color, strokeDash=alt.StrokeDash("line:N", scale=dash_scale, legend=None))
    marks = alt.Chart().mark_point(filled=True, size=46, opacity=1)
    marks = marks.encode(x=x, y=y, color=color, shape=shape, tooltip=tooltip)
    description = f"{axes.y} / {axes.x}: {', '.join(names)}"
    total_height = height + _LEGEND + _ROW * len(styles)
    chart = alt.layer(curves, marks).properties(height=total_height, description=description)
    return altair_chart.written(chart)


def draw(lines: Sequence[Line], axes: Axes, key: str, height: int) -> None:
    """The chart with a plot `height` pixels high; nothing while no line has a point."""
    rows = point_rows(lines)
    if rows:
        styles = tuple((line.name, line.color, line.dash, line.mark) for line in lines)
        chart = altair_chart.with_fonts(specification(theme.is_dark(), styles, axes, height))
        with st.container(key=f"{key} picture"):
            st.vega_lite_chart(pa.Table.from_pylist(rows), chart, width="stretch", theme=None, key=key)


def draw_table(lines: Sequence[Line], axes: Axes, digits: int, t: Translator, key: str) -> None:
    """Table of the same numbers: a row for each x, a column for each line."""
    by_x = [{point.x: point.y for point in line.points} for line in lines]
    rows: list[list[str | None]] = []
    for x_value in sorted({point.x for line in lines for point in line.points}):
        values = (line_values.get(x_value) for line_values in by_x)
        rows.append([None, f"{x_value:g}", *("–" if value is None else t.number(value, digits) for value in values)])
    data_table.draw(t("limits.table", chart=axes.y), [axes.x, *(line.name for line in lines)], rows, key)
