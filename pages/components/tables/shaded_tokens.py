"""One text in several rows, each shaded by other values: a token attribution, or surprisal.

Positive values are shaded, negative ones hatched with a minus sign. A row is scaled by its own largest absolute value,
or by one that several rows share. The tooltip of a token contains its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pages.components.register import register
from pages.i18n.translator import Translator

_rows = register("shaded_rows", Path(__file__), "collapsible_table")


def row(
    name: str,
    note: str,
    labels: Sequence[str],
    values: Sequence[float],
    tooltips: Sequence[str],
    largest: float | None = None,
) -> dict[str, Any]:
    """Data of one row: a label, a value and a tooltip for each token.

    `largest`: the value with the deepest shade, by default the row's largest absolute value.
    """
    if largest is None:
        largest = max((abs(value) for value in values), default=0.0)
    scaled = [round(value / largest, 4) if largest else 0.0 for value in values]
    return {"name": name, "note": note, "parts": [list(part) for part in zip(labels, scaled, tooltips, strict=True)]}


def token(label: str) -> str:
    """A token's label marked for `draw`, which sets it apart from the sentence around it."""
    return f"\x02{label}\x03"


def labels(t: Translator) -> dict[str, str]:
    """Labels of the component for `draw` with rows."""
    return {"table": t("access.table.shaded"), "token": t("sums.token")}


def draw(
    rows: Sequence[dict[str, Any]],
    sentences: Sequence[str],
    key: str,
    labels: dict[str, str] | None = None,
    tone: Literal["attention", "surprise"] = "attention",
) -> None:
    """The rows, with sentences above them.

    sentences  drawn as plain text; they may contain the result of `token`
    labels     see `labels`; required if there are rows
    """
    _rows(key=key, data={"rows": list(rows), "told": list(sentences), "labels": labels, "tone": tone})
