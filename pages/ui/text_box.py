"""A box for a text of several lines that is read while it is being typed.

The component (`text_box.js`) reports what stands in it a moment after each key (`text`: {turn, text}). It keeps what
is being typed; another `turn` puts the given text into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from engine.serving import config
from pages.ui import component
from pages.ui.i18n import Translator

_box = component.register("text_box", "text_box")


def draw(
    text: str, turn: int, dark: bool, label: str, placeholder: str, on_text: Callable[[int, str], None], key: str
) -> None:
    """`on_text` is told the turn that the text was typed on, and the text."""

    def told(value: dict[str, object]) -> None:
        turn, typed = value.get("turn"), value.get("text")
        if isinstance(turn, int) and isinstance(typed, str):
            on_text(turn, typed)

    words = {"label": label, "placeholder": placeholder}
    data = {"text": text, "turn": turn, "dark": dark, "disabled": config.current().demo} | words
    _box(key=key, data=data, on_text_change=component.report(key, "text", told))


def examples(
    texts: Sequence[tuple[str, str]], t: Translator, on_take: Callable[[str], None], key: str,
    also: tuple[str, Callable[[], None]] | None = None,
) -> None:  # fmt: skip
    """Texts to begin with, each (name of its button, text). `also`: one more button, and what it does."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"{key} examples"):
        st.caption(t("step.try"), width="content")
        for name, text in texts:
            st.button(name, key=f"{key} example {name}", type="tertiary", on_click=on_take, args=(text,))
        if also:
            st.button(also[0], key=f"{key} also", type="tertiary", on_click=also[1])
