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


def draw(examples: Sequence[Example], t: Translator, key: str = "examples") -> None:
    """The buttons in one line. `key` of their container gives it the CSS class by which lessons hide it."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=key):
        st.caption(t("step.try"), width="content")
        for label, button_key, on_click in examples:
            st.button(label, key=button_key, type="tertiary", on_click=on_click)
