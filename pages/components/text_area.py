"""Multi-line text box that reports its text while the visitor types.

The component (`text_area.js`) reports the text 180 ms after the last key press (`text`: {turn, text}). A redraw with
the same `turn` keeps what is being typed; a new `turn` replaces it with the given text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.serving import config
from pages.components.register import event_callback, register

_box = register("text_box", Path(__file__))


def draw(text: str, turn: int, label: str, placeholder: str, on_text: Callable[[int, str], None], key: str) -> None:
    """The box. `on_text` is called with the turn on which the text was typed, and the text. Disabled in a demo."""

    def report(value: dict[str, object]) -> None:
        turn, typed = value.get("turn"), value.get("text")
        if isinstance(turn, int) and isinstance(typed, str):
            on_text(turn, typed)

    labels = {"label": label, "placeholder": placeholder}
    data = {"text": text, "turn": turn, "disabled": config.current().demo} | labels
    _box(key=key, data=data, on_text_change=event_callback(key, "text", report))
