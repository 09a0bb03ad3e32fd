"""The tokens that a search found; a click takes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages.ui import component

_found = component.register("found_tokens", "found")


def draw(
    found: list[tuple[int, str, str]], turn: int, dark: bool, on_pick: Callable[[Any], None], key: str = "found"
) -> None:
    """found: (token id, text, note). `on_pick` is told {turn, token}."""

    _found(
        key=key,
        data={"found": found, "turn": turn, "dark": dark},
        on_pick_change=component.report(key, "pick", on_pick),
    )
