"""The tokens that a search found; a click takes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pages.components.register import event_callback, register

_found = register("found_tokens", Path(__file__))


def draw(found: list[tuple[int, str, str]], turn: int, on_pick: Callable[[Any], None], key: str = "found") -> None:
    """found: (token id, text, note). `on_pick` is told {turn, token}."""

    _found(
        key=key,
        data={"found": found, "turn": turn},
        on_pick_change=event_callback(key, "pick", on_pick),
    )
