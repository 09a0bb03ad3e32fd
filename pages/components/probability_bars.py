"""The probability bars: the likeliest tokens, raw and after the filters, and one honest bar for all the others.

The specification is built with Altair once for each theme; only the rows change from step to step, so the browser
redraws bars and not a chart. A click anywhere in a row reports that row's `pick`, which names the turn it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import altair as alt
import pyarrow as pa
import streamlit as st

from pages.components import altair_chart, data_table, theme
from pages.components.theme import Palette, palette
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.sampling.distribution import Distribution

ROW = 30  # pixels
_WORDS, _VALUES = 92, 146  # pixels left and right of the bars


def rows(
    distribution: Distribution, count: int, chosen: int | None, taken: set[int], turn: int, t: Translator
) -> list[dict[str, Any]]:
    """One row a candidate, then one for all the others. `taken` are the tokens that branches here begin with."""
    top = distribution.top(count, chosen)
    table: list[dict[str, Any]] = []
    for at, c in enumerate(top):
        state = "pick" if c.token_id == chosen else "cut" if not c.kept else "draw"
        reason = t(f"filter.{c.cut_by}") if c.cut_by else ""
        numbers = t.percent(c.raw) if not c.kept else _change(c.raw, c.probability, t)
        table.append(
            {
                "at": at,
                "word": c.text,
                "wide": min(altair_chart.text_width(c.text), _WORDS - 10),
                "raw": c.raw,
                "shown": c.probability,
                "state": state,
                "branch": c.token_id in taken,
                "value": f"{numbers}  ▶" if state == "pick" else f"{numbers}  {reason}",
                "token": f"#{c.token_id}",
                "rank": c.rank,
                "believed": f"{c.raw:.6%}",
                "drawn": f"{c.probability:.6%}",
                "reason": reason or t("bars.kept"),
                "pick": f"{turn}:{c.token_id}",
            }
        )
    table.append(_others(distribution, top, turn, t))
    full = max(float(row[bar]) for row in table for bar in ("raw", "shown"))
    return [row | {"full": full} for row in table]


def _others(distribution: Distribution, top: list[Any], turn: int, t: Translator) -> dict[str, Any]:
    raw, drawn = distribution.others([c.token_id for c in top])
    count = distribution.size - len(top)
    return {
        "at": len(top),
        "word": t("bars.others_word"),
        "wide": 0,
        "raw": raw,
        "shown": drawn,
        "state": "others",
        "branch": False,
        "value": _change(raw, drawn, t),
        "token": t("bars.others", count=f"{count:,}"),
        "rank": None,
        "believed": f"{raw:.6%}",
        "drawn": f"{drawn:.6%}",
        "reason": "",
        "pick": f"{turn}:",
    }


def _change(raw: float, probability: float, t: Translator) -> str:
    """Both numbers where they differ to the eye; of two very small ones the second, for want of room."""
    before, after = t.percent(raw), t.percent(probability)
    return after if before == after or max(raw, probability) < 0.0001 else f"{before} → {after}"


@cache
def specification(dark: bool, labels: tuple[str, ...]) -> dict[str, Any]:
    """The Vega-Lite chart without its rows. `labels`: tooltip titles for token, rank, raw, probability, reason; last,
    what the picture shows, for those who cannot see it.

    Words left, bars between, numbers right; all places are pixels, so that no scale has to be worked out again.
    """
    colors = palette(dark)
    y = alt.Y("at:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    room = f"(width - {_WORDS + _VALUES}) / datum.full"

    def bar(end: str, test: str, **mark: Any) -> alt.Chart:
        drawn = alt.Chart().transform_filter(test).transform_calculate(end=f"{_WORDS} + {end} * {room}")
        x = alt.X("end:Q", scale=None, axis=None, stack=None)
        return drawn.mark_bar(**mark).encode(x=x, x2=alt.value(_WORDS), y=y)

    def beside_word(left: int) -> alt.Chart:
        return alt.Chart().transform_calculate(start=f"{_WORDS - 10 - left} - datum.wide")

    start = alt.X("start:Q", scale=None, axis=None, stack=None)
    solid = (
        alt.when("datum.state == 'pick'")
        .then(alt.value(colors.pick))
        .when("datum.state == 'others'")
        .then(alt.value(colors.cut))
        .otherwise(alt.value(colors.draw))
    )
    ink = (
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
    word: dict[str, Any] = {"font": theme.MONOSPACE, "fontSize": 16, "limit": _WORDS - 10, "baseline": "middle"}
    value: dict[str, Any] = {"font": theme.SANS, "fontSize": 14, "limit": _VALUES - 10, "baseline": "middle"}
    layers = [
        bar("datum.shown", "datum.state != 'cut'", height=14, yOffset=-3, cornerRadius=2).encode(color=solid),
        bar("datum.raw", "datum.state != 'cut'", height=5, yOffset=8, cornerRadius=1, color=colors.belief),
        bar("datum.raw", "datum.state == 'cut'", height=12, stroke=colors.cut, color=_stripes(colors)),
        alt.Chart().mark_text(align="right", **word).encode(x=alt.value(_WORDS - 10), y=y, text="word:N", color=ink),
        beside_word(0)
        .transform_filter("datum.state == 'cut'")
        .mark_rule(stroke=colors.soft)
        .encode(x=start, x2=alt.value(_WORDS - 10), y=y),
        beside_word(5)
        .transform_filter("datum.branch")
        .mark_bar(height=24, fill="transparent", stroke=colors.branch, strokeDash=[3, 3], cornerRadius=4)
        .encode(x=start, x2=alt.value(_WORDS - 5), y=y),
        alt.Chart()
        .transform_calculate(start=f"width - {_VALUES - 10}")
        .mark_text(align="left", **value)
        .encode(x=start, y=y, text="value:N", color=ink),
        # On top of all, unseen: the whole row can be clicked and hovered.
        alt.Chart()
        .mark_bar(opacity=0, cursor="pointer", height=ROW)
        .encode(x=alt.value(0), x2=alt.value("width"), y=y, tooltip=tooltip)
        .add_params(alt.selection_point(name="pick", fields=["pick"], on="click", clear=False, toggle=False)),
    ]
    chart = alt.layer(*layers).properties(height=alt.Step(ROW), description=labels[-1])
    return altair_chart.written(chart, padding=0)


def _stripes(colors: Palette) -> alt.Gradient:
    """Hatching: what is cut away is told by more than its colour."""
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
    """The chart and its table. `on_pick` is told turn and token of the row that was clicked. `labels`: see
    `specification`, without the last; who gives others draws another table."""
    from pages.session import session_state

    given, labels = (
        labels,
        labels or tuple(t(f"bars.{name}") for name in ("token", "rank", "believed", "drawn", "reason")),
    )

    def told(pick: str) -> None:
        turn, _, token = pick.partition(":")
        if turn.isdigit() and token.isdigit():  # not the bar of all the others
            on_pick(int(turn), int(token))

    def callback() -> None:
        selection = (session_state.widget(key) or {}).get("selection", {}).get("pick") or [{}]
        told(str(selection[0].get("pick", "")))

    st.vega_lite_chart(
        pa.Table.from_pylist(table),
        specification(theme.is_dark(), (*labels, t("access.bars"))),
        width="stretch",
        theme=None,
        key=key,
        on_select=callback,
        selection_mode="pick",
    )
    if not given:
        columns = [t("sums.token"), *(labels[i] for i in (2, 3, 1, 4))]
        data_table.draw(t("access.table.bars"), columns, tabled(table, t), f"{key}_table", told)


def tabled(table: list[dict[str, Any]], t: Translator) -> list[list[str | None]]:
    """The rows again, for those who read them: what a press reports, token, raw, probability, rank, outcome."""
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
