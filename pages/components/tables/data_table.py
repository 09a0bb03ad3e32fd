"""Data of a chart as a table, for visitors who use a screen reader or the keyboard, or want to read the numbers.

It is below the chart behind a disclosure, closed at first; the browser builds its rows when it is opened. Where the
chart can be clicked, so can the first cell of each row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pages.components.register import event_callback, register

_table = register("as_table", Path(__file__), "collapsible_table")


def draw(
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    key: str,
    on_pick: Callable[[str], None] = lambda pick: None,
) -> None:
    """The table. Each row contains the value that a click on its first cell passes to `on_pick` (None: no button), then
    one text for each column."""
    _table(
        key=key,
        data={"name": name, "columns": list(columns), "rows": [list(row) for row in rows]},
        on_pick_change=event_callback(key, "pick", lambda value: on_pick(str(value.get("pick", "")))),
    )
