"""Several curves over one count: each with its own colour, dashes and marks, named above the drawing.

Plain data in (`Line`), an Altair specification and its table out; the same data as a table stands below for who cannot
or does not want to read a drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.components import altair_chart, data_table, theme
from pages.components.theme import palette
from pages.i18n.translator import Translator

_LEGEND, _ROW = 60, 22  # pixels of the axis with what stands around, and of a line's name
DASHES = {"solid": [1, 0], "dashed": [7, 4], "dotted": [2, 3]}


class Point(NamedTuple):
    """x; y, or None for a gap; what resting on it tells."""

    x: float
    y: float | None
    told: str


class Line(NamedTuple):
    """name; color: a field of `Palette`; dash: of `DASHES`; mark: a Vega shape; its points."""

    name: str
    color: str
    dash: str
    mark: str
    points: list[Point]


class Axes(NamedTuple):
    """Titles; the upright axis's format (d3); where the other one is marked, None to leave that to the chart."""

    x: str
    y: str
    number: str
    marked: tuple[int, ...] | None = None


def rows(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """One row a point that has a value."""
    return [
        {"line": line.name, "x": float(p.x), "y": float(p.y), "told": p.told}
        for line in lines for p in line.points if p.y is not None
    ]  # fmt: skip


@cache
def specification(dark: bool, looks: tuple[tuple[str, str, str, str], ...], axes: Axes, height: int) -> dict[str, Any]:
    """The chart without its rows. `looks`: name, colour, dash and mark of each line."""
    colors = palette(dark)
    axis = altair_chart.axis(colors, labelPadding=6)
    names = [name for name, *_ in looks]
    legend = alt.Legend(
        orient="top", direction="vertical", title=None, labelFont=theme.SANS, labelFontSize=13, labelColor=colors.ink,
        symbolSize=80, symbolStrokeWidth=0, labelLimit=330, rowPadding=3, offset=8,
    )  # fmt: skip
    marked: dict[str, Any] = {} if axes.marked is None else {"values": list(axes.marked)}
    along = alt.Axis(**axis, **marked, grid=False, tickMinStep=1, format="d", labelOverlap=True)
    x = alt.X("x:Q", title=axes.x, axis=along, scale=alt.Scale(nice=False, padding=8))
    y = alt.Y("y:Q", title=axes.y, axis=alt.Axis(**axis, tickCount=4, format=axes.number))
    paints = alt.Scale(domain=names, range=[getattr(colors, color) for _, color, _, _ in looks])
    dashes = alt.Scale(domain=names, range=[DASHES[dash] for *_, dash, _ in looks])
    shapes = alt.Scale(domain=names, range=[mark for *_, mark in looks])
    color = alt.Color("line:N", scale=paints, legend=legend)
    shape = alt.Shape("line:N", scale=shapes, legend=legend)
    tooltip = [alt.Tooltip("line:N", title=" "), alt.Tooltip("told:N", title="  ")]
    curves = alt.Chart().mark_line(strokeWidth=2.5)
    curves = curves.encode(x=x, y=y, color=color, strokeDash=alt.StrokeDash("line:N", scale=dashes, legend=None))
    marks = alt.Chart().mark_point(filled=True, size=46, opacity=1)
    marks = marks.encode(x=x, y=y, color=color, shape=shape, tooltip=tooltip)
    described = f"{axes.y} / {axes.x}: {', '.join(names)}"
    tall = height + _LEGEND + _ROW * len(looks)
    return altair_chart.written(alt.layer(curves, marks).properties(height=tall, description=described))


def draw(lines: Sequence[Line], axes: Axes, key: str, height: int) -> None:
    """The chart, its drawing so many pixels high; nothing while no line has a point."""
    table = rows(lines)
    if table:
        looks = tuple((line.name, line.color, line.dash, line.mark) for line in lines)
        chart = specification(theme.is_dark(), looks, axes, height)
        with st.container(key=f"{key} picture"):
            st.vega_lite_chart(pa.Table.from_pylist(table), chart, width="stretch", theme=None, key=key)


def draw_table(lines: Sequence[Line], x: str, digits: int, t: Translator, key: str) -> None:
    """The same numbers, a column a line."""
    known = [{point.x: point.y for point in line.points} for line in lines]
    table: list[list[str | None]] = []
    for place in sorted({point.x for line in lines for point in line.points}):
        told = (values.get(place) for values in known)
        table.append([None, f"{place:g}", *("–" if value is None else t.number(value, digits) for value in told)])
    data_table.draw(t("limits.table"), [x, *(line.name for line in lines)], table, key)
