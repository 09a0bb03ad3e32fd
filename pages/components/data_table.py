"""What a chart shows, as a table: for those who cannot see the chart, cannot point at it, or want to read numbers.

It stands below the chart behind a disclosure, closed; its rows are made by the browser only when it is opened. Where
the chart can be clicked, so can the first cell of each row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pages.components.register import event_callback, register

_as_table = register("as_table", Path(__file__), "collapsible_table")


def draw(
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    key: str,
    on_pick: Callable[[str], None] = lambda pick: None,
) -> None:
    """rows: what a press on the row's first cell reports to `on_pick`, or None for nothing, then a text a column."""
    _as_table(
        key=key,
        data={"name": name, "columns": list(columns), "rows": [list(row) for row in rows]},
        on_pick_change=event_callback(key, "pick", lambda value: on_pick(str(value.get("pick", "")))),
    )
