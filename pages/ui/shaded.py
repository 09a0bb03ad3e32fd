"""The same sentence several times, each shaded by another answer to "what mattered?".

A value above 0 spoke for the token, one below 0 against it: shaded, and hatched with a minus sign. Each row is scaled
by its own largest value; resting on a token tells the number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.colors import css

_HERE = Path(__file__).parent

_rows = st.components.v2.component(
    "shaded_rows",
    html='<div class="root"></div>',
    css=css() + (_HERE / "shaded.css").read_text("utf-8"),
    js=(_HERE / "shaded.js").read_text("utf-8"),
)


def row(name: str, note: str, labels: Sequence[str], values: Sequence[float], told: Sequence[str]) -> dict[str, Any]:
    """One shading: a value a token, and what resting on it tells."""
    largest = max((abs(value) for value in values), default=0.0)
    scaled = [round(value / largest, 4) if largest else 0.0 for value in values]
    return {"name": name, "note": note, "parts": [list(part) for part in zip(labels, scaled, told, strict=True)]}


def draw(rows: Sequence[dict[str, Any]], told: Sequence[str], dark: bool, key: str) -> None:
    """`told`: sentences above the rows; they may name tokens, and are drawn as plain text."""
    _rows(key=key, data={"rows": list(rows), "told": list(told), "dark": dark})
