"""A box for a text of several lines that is read while it is being typed.

The component (`text_box.js`) reports what stands in it a moment after each key (`text`: {turn, text}). It keeps what
is being typed; another `turn` puts the given text into it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.serving import config
from pages.components.register import event_callback, register

_box = register("text_box", Path(__file__))


def draw(text: str, turn: int, label: str, placeholder: str, on_text: Callable[[int, str], None], key: str) -> None:
    """`on_text` is told the turn that the text was typed on, and the text."""

    def told(value: dict[str, object]) -> None:
        turn, typed = value.get("turn"), value.get("text")
        if isinstance(turn, int) and isinstance(typed, str):
            on_text(turn, typed)

    words = {"label": label, "placeholder": placeholder}
    data = {"text": text, "turn": turn, "disabled": config.current().demo} | words
    _box(key=key, data=data, on_text_change=event_callback(key, "text", told))
