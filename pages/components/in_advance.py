"""Data of a component after the visitor's next action, sent before it so that the action is answered at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages.components.difference import difference
from pages.components.register import register

_in_advance = register("in_advance", Path(__file__))


def send(name: str, before: dict[str, Any], after: dict[str, Any] | None, *counts: str) -> None:
    """Send the difference of `after` from `before`, the data that the browser has; None where nothing is known.

    `counts` are keys of `before`: the difference is shown only while the browser's data has the same values. The
    component finds it under `name` with `showInAdvance` in `difference.js`.
    """
    change = None if after is None else difference(before, after)
    data = {"name": name, "change": change, "counts": {count: before[count] for count in counts}}
    _in_advance(key=f"{name}_in_advance", data=data)
