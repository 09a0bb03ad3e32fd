"""Row of example buttons below a text box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st

from pages.i18n.translator import Translator


class Example(NamedTuple):
    """One button: its label, its widget key, and the callback of a click."""

    label: str
    key: str
    on_click: Callable[[], None]


def draw(
    examples: Sequence[Example],
    t: Translator,
    key: str = "examples",
    on_die: Callable[[], None] | None = None,
    note: str = "",
) -> None:
    """The buttons in one line. `key` of their container gives it the CSS class by which lessons hide it.

    on_die  callback of one more button, which is to choose a text at random
    note    sentence about the examples, after them
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=key):
        st.caption(t("step.try"), width="content")
        for label, button_key, on_click in examples:
            st.button(label, key=button_key, on_click=on_click)
        if on_die is not None:
            st.button(t("step.die"), key="die", on_click=on_die)
        if note:
            st.caption(note, width="content")
