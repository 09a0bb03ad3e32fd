"""What a chart shows, as a table: for those who cannot see the chart, cannot point at it, or want to read numbers.

It stands below the chart behind a disclosure, closed; its rows are made by the browser only when it is opened. Where
the chart can be clicked, so can the first cell of each row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pages.ui import component

_as_table = component.register("as_table", "as_table", "table")


def draw(
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    dark: bool,
    key: str,
    on_pick: Callable[[str], None] = lambda pick: None,
) -> None:
    """rows: what a press on the row's first cell reports to `on_pick`, or None for nothing, then a text a column."""
    _as_table(
        key=key,
        data={"name": name, "columns": list(columns), "rows": [list(row) for row in rows], "dark": dark},
        on_pick_change=component.report(key, "pick", lambda value: on_pick(str(value.get("pick", "")))),
    )
