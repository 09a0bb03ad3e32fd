"""The same sentence several times, each shaded by other numbers: by an answer to "what mattered?", or by surprise.

A value above 0 spoke for the token, one below 0 against it: shaded, and hatched with a minus sign. A row is scaled by
its own largest value, or by one that rows share; resting on a token tells the number.
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
    told: Sequence[str],
    largest: float | None = None,
) -> dict[str, Any]:
    """One shading: a value a token, and what resting on it tells. `largest`: the value that is deepest."""
    if largest is None:
        largest = max((abs(value) for value in values), default=0.0)
    scaled = [round(value / largest, 4) if largest else 0.0 for value in values]
    return {"name": name, "note": note, "parts": [list(part) for part in zip(labels, scaled, told, strict=True)]}


def token(label: str) -> str:
    """A token as part of a sentence that `draw` is told: it is set apart from the words around it."""
    return f"\x02{label}\x03"


def labels(t: Translator) -> dict[str, str]:
    """The words that rows need."""
    return {"table": t("access.table.shaded"), "token": t("sums.token")}


def draw(
    rows: Sequence[dict[str, Any]],
    told: Sequence[str],
    key: str,
    labels: dict[str, str] | None = None,
    tone: Literal["attention", "surprise"] = "attention",
) -> None:
    """`told`: sentences above the rows; they may name tokens, and are drawn as plain text. `labels`: only for rows."""
    _rows(key=key, data={"rows": list(rows), "told": list(told), "labels": labels, "tone": tone})
