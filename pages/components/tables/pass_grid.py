"""Component: grid of passes from top to bottom, and the places of a text from left to right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages.components.register import register

_component = register("pass_grid", Path(__file__))


def draw(data: dict[str, Any], key: str = "pass_grid") -> None:
    """Draw the grid.

    name    for screen readers; place: title of the columns
    legend  (kind, name) of each kind of cell
    rows    {name, texts, kinds} of each pass; kinds: `final`, `new`, `open` or `hidden` of each place
    """
    _component(key=key, data=data)
