"""Scatter chart of the strategies: probability against diversity, one labelled mark for each.

x: distinct-2 over all seeds. y: log-probability per token (nats). Overlapping labels are moved apart.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.compare.state import CompareState
from pages.compare.text_rows import strategy_label
from pages.components import theme
from pages.components.charts import altair_chart
from pages.components.tables.text_table import read
from pages.components.text_width import text_width
from pages.components.theme import palette
from pages.i18n.translator import Translator

HEIGHT = 260  # pixels, of the plot
_AXIS_HEIGHT = 60  # pixels, of the x axis with its title
_LABEL_HEIGHT = 18  # pixels between two labels
_LEFT_END = 0.4  # marks left of this have their label beside them; the labels of all others form a column at the right
_LABEL_COLUMN = 1.06  # x of that column
_X_END = 1.4  # right end of the x axis; beyond 1 there are only labels
_FONT_SIZE = 14  # pixels, of the labels
_LABEL_GAP = 5  # pixels between `label_x` and the label
_MARK_RADIUS = 6  # pixels
_RIM = 4  # pixels by which a mark that lies under another is larger
_NARROWEST = 280  # pixels, width of the plot on a phone
_PIXEL = _X_END / _NARROWEST  # on the x axis there


def points(state: CompareState, t: Translator) -> list[dict[str, Any]]:
    """Rows of the chart: one for each finished strategy for which both measures are defined.

    low: lower end of the y axis, the same in every row; label, label_x: position of the label on the axes; radius: of
    the mark, in pixels.
    """
    seeds = len(state.run_settings.seeds) if state.run_settings else 1
    result: list[dict[str, Any]] = []
    for run in state.finished:
        measures = run.measures(seeds)
        if measures.per_token is None or measures.distinct_2 is None:
            continue
        result.append(
            {
                "name": strategy_label(run.strategy, run.value, t),
                "x": round(measures.distinct_2, 4),
                "y": round(measures.per_token, 4),
                "draws": run.strategy.draws,
                "probable": read("per_token", measures.per_token, t),
                "varied": read("distinct_2", measures.distinct_2, t),
                "repeated": read("repetition", measures.repetition, t),
            }
        )
    place_labels(result)
    return result


def place_labels(rows: list[dict[str, Any]]) -> None:
    """Add `low`, `radius`, `label` and `label_x`: no label covers a mark or a line, also in a narrow window."""
    low = axis_minimum(rows)
    size_marks(rows, low)
    beside = [row for row in rows if row["x"] < _LEFT_END]
    while True:
        column = [row for row in rows if all(row is not other for other in beside)]
        for group in (beside, column):
            for row, label in zip(group, spread_labels([HEIGHT * row["y"] / low for row in group]), strict=True):
                at = row["x"] + 0.04 if group is beside else _LABEL_COLUMN
                row |= {"low": low, "label": label * low / HEIGHT, "label_x": at}
        others = [(row, other) for row in beside for other in rows if other is not row]
        covering = [row for row, other in others if _covers(row, other) or _is_struck(row, other)]
        free = [row for row in beside if all(row is not one for one in covering)]
        if len(free) == len(beside):
            return
        beside = free  # the others go to the column, in which there are no marks


def _covers(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether the label of a row covers the mark of another."""
    start, end = _extent(row)
    near = abs(row["label"] - other["y"]) * HEIGHT / -row["low"] < _LABEL_HEIGHT / 2 + other["radius"]
    around = (other["radius"] + 1) * _PIXEL
    return bool(near and start - around < other["x"] < end + around)


def _is_struck(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether the line from the mark of another row to its label runs through the label of a row."""
    start, end = _extent(row)
    left, right = other["x"], other["label_x"]
    if left >= end or right <= start:
        return False
    slope = (other["label"] - other["y"]) / (right - left)
    heights = [other["y"] + slope * (min(max(x, left), right) - left) for x in (start, end)]
    half = _LABEL_HEIGHT / 2 * -row["low"] / HEIGHT
    return bool(min(heights) < row["label"] + half and max(heights) > row["label"] - half)


def _extent(row: dict[str, Any]) -> tuple[float, float]:
    """Where the label of a row begins and ends on the x axis, at its widest: in a narrow window."""
    start = row["label_x"] + _LABEL_GAP * _PIXEL
    return start, start + 1.2 * text_width(row["name"], _FONT_SIZE) * _PIXEL


def size_marks(rows: list[dict[str, Any]], low: float) -> None:
    """Add `radius`: a mark that lies under a later one is larger than that, so that both are seen."""
    for i in reversed(range(len(rows))):
        row, above = rows[i], rows[i + 1 :]
        distances = [math.hypot((o["x"] - row["x"]) / _PIXEL, (o["y"] - row["y"]) * HEIGHT / low) for o in above]
        hidden = [o["radius"] for o, d in zip(above, distances, strict=True) if d < _MARK_RADIUS]
        row["radius"] = max(hidden) + _RIM if hidden else _MARK_RADIUS


def axis_minimum(rows: list[dict[str, Any]]) -> float:
    """Lower end of the y axis: at most -2, and a whole number so that it seldom changes as points are added."""
    return min([-2.0, *(float(row["y"] // 1) for row in rows)])


def spread_labels(desired: list[float]) -> list[float]:
    """Label positions in pixels from the top: near the desired ones, `_LABEL_HEIGHT` apart, within the plot.

    Pool adjacent violators, with each pool moved into the plot.

    >>> spread_labels([100.0, 102.0, 250.0])
    [92.0, 110.0, 250.0]
    """
    order = sorted(range(len(desired)), key=desired.__getitem__)
    blocks: list[tuple[float, int]] = []  # labels that touch: (position of the first one, number of labels)
    for i in order:
        first, count = _clamp_block(desired[i], 1), 1
        while blocks and blocks[-1][0] + blocks[-1][1] * _LABEL_HEIGHT > first:
            above_first, above_count = blocks.pop()
            first = (above_first * above_count + (first - above_count * _LABEL_HEIGHT) * count) / (above_count + count)
            count += above_count
            first = _clamp_block(first, count)
        blocks.append((first, count))
    sorted_positions = [first + k * _LABEL_HEIGHT for first, count in blocks for k in range(count)]
    positions = [0.0] * len(desired)
    for i, position in zip(order, sorted_positions, strict=True):
        positions[i] = round(position, 1)
    return positions


def _clamp_block(first: float, count: int) -> float:
    """Position of the first of `count` touching labels, moved so that all of them are within the plot."""
    return max(min(first, HEIGHT - _LABEL_HEIGHT / 2 - (count - 1) * _LABEL_HEIGHT), _LABEL_HEIGHT / 2)


@cache
def specification(dark: bool, low: float, labels: tuple[str, ...]) -> dict[str, Any]:
    """Vega-Lite specification of the chart, without its rows.

    labels: titles of the x and y axes, titles of the four tooltip lines, description for screen readers.
    """
    colors = palette(dark)
    axis = altair_chart.axis(colors, labelPadding=6, labelOverlap=False, format="~g")
    y_axis = alt.Axis(**axis, tickCount=5)
    x_axis = alt.Axis(**axis, values=[0, 0.2, 0.4, 0.6, 0.8, 1], titleAnchor="start")
    x_scale = alt.Scale(domain=[0, _X_END], nice=False)
    x = alt.X("x:Q", scale=x_scale, title=labels[0], axis=x_axis)
    at_label = {
        "x": alt.X("label_x:Q", scale=x_scale, title=labels[0], axis=x_axis),
        "y": alt.Y("label:Q", scale=alt.Scale(domain=[low, 0], nice=False), title=labels[1], axis=y_axis),
    }
    y = alt.Y("y:Q", scale=alt.Scale(domain=[low, 0], nice=False), title=labels[1], axis=y_axis)
    color = alt.when("datum.draws").then(alt.value(colors.draw)).otherwise(alt.value(colors.ink))
    shape = alt.when("datum.draws").then(alt.value("circle")).otherwise(alt.value("square"))
    tooltip = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in zip(("name", "probable", "varied", "repeated"), labels[2:-1], strict=True)
    ]

    marks = alt.Chart().transform_calculate(area="3 * datum.radius * datum.radius")
    marks = marks.mark_point(filled=True, opacity=1, stroke=colors.paper, strokeWidth=1.5)
    size = alt.Size("area:Q", scale=None)
    marks = marks.encode(x=x, y=y, fill=color, shape=shape, size=size, tooltip=tooltip)
    leads = alt.Chart().mark_rule(color=colors.cut).encode(x=x, x2="label_x", y=y, y2="label")
    names = alt.Chart().mark_text(align="left", dx=_LABEL_GAP, baseline="middle", fontSize=_FONT_SIZE, color=colors.ink)
    chart = alt.layer(leads, marks, names.encode(**at_label, text="name:N"))
    return altair_chart.written(chart.properties(height=HEIGHT + _AXIS_HEIGHT, description=labels[-1]))


def draw(rows: list[dict[str, Any]], t: Translator) -> None:
    """Draw the chart with the result of `points`; the axes alone if it is empty."""
    names = ("x", "y", "strategy", "probable", "varied", "repeated")
    labels = (*(t(f"compare.chart.{name}") for name in names), t("access.scatter"))
    low = float(rows[0]["low"]) if rows else axis_minimum([])
    schema = pa.schema([("name", pa.string()), ("x", pa.float64()), ("y", pa.float64()), ("draws", pa.bool_())])
    table = pa.Table.from_pylist(rows) if rows else schema.empty_table()
    with st.container(key="scatter picture"):
        chart = altair_chart.with_fonts(specification(theme.is_dark(), low, labels))
        st.vega_lite_chart(table, chart, width="stretch", theme=None, key="scatter")
