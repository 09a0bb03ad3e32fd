"""How probable against how varied: one mark a strategy, named beside it; names that would cover each other make way.

Up: what the model found more probable, per token. Right: more different pairs of tokens over all seeds.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.compare.state import CompareState
from pages.compare.text_rows import name
from pages.components import altair_chart, theme
from pages.components.text_table import read
from pages.components.theme import palette
from pages.i18n.translator import Translator

HEIGHT = 260  # pixels, of the drawing
_AXIS = 60  # and of the axis with its title below it
_GAP = 18  # pixels between two names
_LEFT = 0.4  # marks farther right have their names behind the drawing's edge, where nothing is covered
_COLUMN = 1.06


def points(comparison: CompareState, t: Translator) -> list[dict[str, Any]]:
    """One row a finished strategy that has both measures. `low`: the axis's lower end, the same in every row;
    `label`: where on it the name goes."""
    seeds = len(comparison.answered.seeds) if comparison.answered else 1
    made: list[dict[str, Any]] = []
    for entry in comparison.finished:
        found = entry.measures(seeds)
        if found.per_token is None or found.distinct_2 is None:
            continue
        made.append(
            {
                "name": name(entry.strategy, entry.value, t),
                "x": round(found.distinct_2, 4),
                "y": round(found.per_token, 4),
                "draws": entry.strategy.draws,
                "probable": read("per_token", found.per_token, t),
                "varied": read("distinct_2", found.distinct_2, t),
                "repeated": read("repetition", found.repetition, t),
            }
        )
    low = lowest(made)
    for side in (True, False):  # names beside the marks on the left, names in a column behind those on the right
        rows = [row for row in made if (row["x"] < _LEFT) == side]
        for row, at in zip(rows, spread([HEIGHT * row["y"] / low for row in rows]), strict=True):
            row |= {"low": low, "label": at * low / HEIGHT, "label_x": row["x"] + 0.04 if side else _COLUMN}
    return made


def lowest(made: list[dict[str, Any]]) -> float:
    """The lower end of the axis: a whole number below every point, so that it seldom moves while points come."""
    return min([-2.0, *(float(row["y"] // 1) for row in made)])


def spread(wanted: list[float]) -> list[float]:
    """Places for names, in pixels from above: near to the wanted ones, `_GAP` between any two, within the drawing.

    >>> spread([100.0, 102.0, 250.0])
    [92.0, 110.0, 250.0]
    """
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    blocks: list[tuple[float, int]] = []  # names that touch: (where the first one goes, how many)
    for i in order:
        first, count = _within(wanted[i], 1), 1
        while blocks and blocks[-1][0] + blocks[-1][1] * _GAP > first:
            above, many = blocks.pop()
            first = (above * many + (first - many * _GAP) * count) / (many + count)
            count += many
            first = _within(first, count)
        blocks.append((first, count))
    placed = [first + k * _GAP for first, count in blocks for k in range(count)]
    places = [0.0] * len(wanted)
    for i, at in zip(order, placed, strict=True):
        places[i] = round(at, 1)
    return places


def _within(first: float, count: int) -> float:
    """Where the first of so many names goes, so that none leaves the drawing."""
    return max(min(first, HEIGHT - _GAP / 2 - (count - 1) * _GAP), _GAP / 2)


@cache
def specification(dark: bool, low: float, labels: tuple[str, ...]) -> dict[str, Any]:
    """The Vega-Lite chart without its rows. `labels`: titles of both axes, then of the tooltip's lines; last,
    what the picture shows, for those who cannot see it."""
    colors = palette(dark)
    axis = altair_chart.axis(colors, labelPadding=6, labelOverlap=False, format="~g")
    upright = alt.Axis(**axis, tickCount=5)
    ticks = alt.Axis(**axis, values=[0, 0.2, 0.4, 0.6, 0.8, 1], titleAnchor="start")
    along = alt.Scale(domain=[0, 1.4], nice=False)
    x = alt.X("x:Q", scale=along, title=labels[0], axis=ticks)
    at_label = {
        "x": alt.X("label_x:Q", scale=along, title=labels[0], axis=ticks),
        "y": alt.Y("label:Q", scale=alt.Scale(domain=[low, 0], nice=False), title=labels[1], axis=upright),
    }
    y = alt.Y("y:Q", scale=alt.Scale(domain=[low, 0], nice=False), title=labels[1], axis=upright)
    color = alt.when("datum.draws").then(alt.value(colors.draw)).otherwise(alt.value(colors.ink))
    shape = alt.when("datum.draws").then(alt.value("circle")).otherwise(alt.value("square"))
    tooltip = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in zip(("name", "probable", "varied", "repeated"), labels[2:-1], strict=True)
    ]

    marks = alt.Chart().mark_point(filled=True, size=110, opacity=1)
    marks = marks.encode(x=x, y=y, color=color, shape=shape, tooltip=tooltip)
    leads = alt.Chart().mark_rule(color=colors.cut).encode(x=x, x2="label_x", y=y, y2="label")
    names = alt.Chart().mark_text(align="left", dx=5, baseline="middle", font=theme.SANS, fontSize=14, color=colors.ink)
    chart = alt.layer(leads, marks, names.encode(**at_label, text="name:N"))
    return altair_chart.written(chart.properties(height=HEIGHT + _AXIS, description=labels[-1]))


def draw(table: list[dict[str, Any]], t: Translator) -> None:
    """The chart of what `points` made; its axes alone while there is nothing yet."""
    names = ("x", "y", "strategy", "probable", "varied", "repeated")
    labels = (*(t(f"compare.chart.{name}") for name in names), t("access.scatter"))
    low = float(table[0]["low"]) if table else lowest([])
    schema = pa.schema([("name", pa.string()), ("x", pa.float64()), ("y", pa.float64()), ("draws", pa.bool_())])
    rows = pa.Table.from_pylist(table) if table else schema.empty_table()
    with st.container(key="scatter picture"):
        st.vega_lite_chart(
            rows, specification(theme.is_dark(), low, labels), width="stretch", theme=None, key="scatter"
        )
