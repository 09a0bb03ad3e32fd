"""Buttons for the tokens that match a vocabulary search; a click chooses the token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pages.components.register import event_callback, register

_component = register("found_tokens", Path(__file__))


def draw(results: list[tuple[int, str, str]], turn: int, on_pick: Callable[[Any], None], key: str = "found") -> None:
    """Draw the buttons. results: (token id, text, note). `on_pick` is called with {turn, token}."""
    _component(
        key=key,
        data={"found": results, "turn": turn},
        on_pick_change=event_callback(key, "pick", on_pick),
    )
