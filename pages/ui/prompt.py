"""The box for a prompt and a few to begin with, the same on every page that goes on from the visitor's prompt."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.serving import config
from pages.ui import state
from pages.ui.i18n import Translator
from pages.ui.session import Session


def draw(session: Session, t: Translator, on_prompt: Callable[[str], None]) -> None:
    """`on_prompt` is told the text that was typed or taken. Stands outside of a fragment: a step does not touch it."""

    def typed() -> None:
        on_prompt(str(state.widget("prompt") or ""))

    def taken(text: str) -> None:
        state.set_widget("prompt", text)
        on_prompt(text)

    state.default_widget("prompt", session.prompt)
    state.tell_widget("prompt")
    st.text_input(
        t("step.prompt"), key="prompt", placeholder=t("step.placeholder"), on_change=typed,
        label_visibility="collapsed", persist_state="session", disabled=config.current().demo,
    )  # fmt: skip
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="examples"):
        st.caption(t("step.try"), width="content")
        for text in t.list("step.examples.list"):
            st.button(text, key=f"example {text}", type="tertiary", on_click=taken, args=(text,))
