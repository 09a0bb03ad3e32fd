"""TODO"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.i18n.translator import Translator


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
