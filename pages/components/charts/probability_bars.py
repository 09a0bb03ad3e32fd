"""Bar chart of the next-token distribution: the most probable tokens, raw and filtered, and one bar for all others.

The specification is built with Altair once for each theme; only the rows change from step to step, so the browser
updates bars and does not create a chart. A click anywhere in a row reports the row's `pick`, "TURN:TOKEN".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.components import theme
from pages.components.charts import altair_chart
from pages.components.charts.probability_rows import LABELS_WIDTH
from pages.components.tables import data_table
from pages.components.theme import Palette, palette
from pages.i18n.translator import Translator
from pages.session import session_state

ROW = 30  # height of a row in pixels
_VALUES_WIDTH = 146  # pixels right of the bars


@cache
def specification(dark: bool, labels: tuple[str, ...]) -> dict[str, Any]:
    """The Vega-Lite chart without its rows.

    `labels`: tooltip titles for token, rank, raw, probability, reason; last, the description for screen readers.
    Labels on the left, bars, numbers on the right; all coordinates are pixels, so that no scale is recomputed.
    """
    colors = palette(dark)
    y = alt.Y("at:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    unit = f"(width - {LABELS_WIDTH + _VALUES_WIDTH}) / datum.full"  # pixels for a probability of 1

    def bar(length: str, test: str, **mark: Any) -> alt.Chart:
        chart = alt.Chart().transform_filter(test).transform_calculate(end=f"{LABELS_WIDTH} + {length} * {unit}")
        x = alt.X("end:Q", scale=None, axis=None, stack=None)
        return chart.mark_bar(**mark).encode(x=x, x2=alt.value(LABELS_WIDTH), y=y)

    def around_label(left: int) -> alt.Chart:
        return alt.Chart().transform_calculate(start=f"{LABELS_WIDTH - 10 - left} - datum.wide")

    start = alt.X("start:Q", scale=None, axis=None, stack=None)
    bar_color = (
        alt.when("datum.state == 'pick'")
        .then(alt.value(colors.pick))
        .when("datum.state == 'others'")
        .then(alt.value(colors.cut))
        .otherwise(alt.value(colors.draw))
    )
    text_color = (
        alt.when("datum.state == 'pick'")
        .then(alt.value(colors.pick))
        .when("datum.state == 'cut' || datum.state == 'others'")
        .then(alt.value(colors.soft))
        .otherwise(alt.value(colors.ink))
    )
    tooltip = [
        alt.Tooltip(f"{name}:N", title=title)
        for name, title in zip(("token", "rank", "believed", "drawn", "reason"), labels[:-1], strict=True)
    ]
    word: dict[str, Any] = {"font": theme.MONOSPACE, "fontSize": 16, "limit": LABELS_WIDTH - 10, "baseline": "middle"}
    value: dict[str, Any] = {"fontSize": 14, "limit": _VALUES_WIDTH - 10, "baseline": "middle"}
    layers = [
        bar("datum.shown", "datum.state != 'cut' && !datum.differs", height=14, cornerRadius=2).encode(color=bar_color),
        bar("datum.shown", "datum.differs", height=14, yOffset=-3, cornerRadius=2).encode(color=bar_color),
        bar("datum.raw", "datum.differs", height=5, yOffset=8, cornerRadius=1, color=colors.belief),
        bar("datum.raw", "datum.state == 'cut'", height=12, stroke=colors.cut, color=_stripes(colors)),
        alt.Chart()
        .mark_text(align="right", **word)
        .encode(x=alt.value(LABELS_WIDTH - 10), y=y, text="word:N", color=text_color),
        around_label(0)
        .transform_filter("datum.state == 'cut'")
        .mark_rule(stroke=colors.soft)
        .encode(x=start, x2=alt.value(LABELS_WIDTH - 10), y=y),
        around_label(5)
        .transform_filter("datum.branch")
        .mark_bar(height=24, fill="transparent", stroke=colors.branch, strokeDash=[3, 3], cornerRadius=4)
        .encode(x=start, x2=alt.value(LABELS_WIDTH - 5), y=y),
        alt.Chart()
        .transform_calculate(start=f"width - {_VALUES_WIDTH - 10}")
        .mark_text(align="left", **value)
        .encode(x=start, y=y, text="value:N", color=text_color),
        # Invisible, on top of the others: makes the whole row clickable.
        alt.Chart()
        .mark_bar(opacity=0, cursor="pointer", height=ROW)
        .encode(x=alt.value(0), x2=alt.value("width"), y=y, tooltip=tooltip)
        .add_params(alt.selection_point(name="pick", fields=["pick"], on="click", clear=False, toggle=False)),
    ]
    chart = alt.layer(*layers).properties(height=alt.Step(ROW), description=labels[-1])
    return altair_chart.written(chart, padding=0)


def _stripes(colors: Palette) -> alt.Gradient:
    """Hatching of the bars of filtered tokens, which are thus marked by more than their colour."""
    stops = [
        alt.GradientStop(color=colors.cut if i % 2 else colors.paper, offset=(i + side) / 24)
        for i in range(24)
        for side in (0, 1)
    ]
    return alt.Gradient(gradient="linear", x1=0, y1=0, x2=1, y2=0.15, stops=stops)


def draw(
    table: list[dict[str, Any]],
    t: Translator,
    on_pick: Callable[[int, int], None],
    key: str = "bars",
    labels: tuple[str, ...] | None = None,
) -> None:
    """The chart, with its table below.

    table    see `rows`
    on_pick  called with turn and token id of a clicked row; not for the row of all other tokens
    labels   see `specification`, without the last; a caller with its own labels also draws its own table
    """
    own_labels = labels
    labels = labels or tuple(t(f"bars.{name}") for name in ("token", "rank", "believed", "drawn", "reason"))

    def pick_row(pick: str) -> None:
        turn, _, token = pick.partition(":")
        if turn.isdigit() and token.isdigit():
            on_pick(int(turn), int(token))

    def callback() -> None:
        selection = (session_state.widget(key) or {}).get("selection", {}).get("pick") or [{}]
        pick_row(str(selection[0].get("pick", "")))

    st.vega_lite_chart(
        pa.Table.from_pylist(table),
        altair_chart.with_fonts(specification(theme.is_dark(), (*labels, t("access.bars")))),
        width="stretch",
        theme=None,
        key=key,
        on_select=callback,
        selection_mode="pick",
    )
    if not own_labels:
        columns = [t("sums.token"), *(labels[i] for i in (2, 3, 1, 4))]
        data_table.draw(t("access.table.bars"), columns, _table_rows(table, t), f"{key}_table", pick_row)


def _table_rows(table: list[dict[str, Any]], t: Translator) -> list[list[str | None]]:
    """The rows for `data_table.draw`: pick, token, raw, probability, rank, outcome."""
    return [
        [
            None if row["rank"] is None else row["pick"],
            row["token"] if row["rank"] is None else row["word"],
            t.percent(row["raw"]),
            t.percent(row["shown"]),
            "" if row["rank"] is None else f"{row['rank']:,}",
            f"▶ {row['reason']}" if row["state"] == "pick" else row["reason"],
        ]
        for row in table
    ]
