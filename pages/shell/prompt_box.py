"""The box for a prompt and a few to begin with, the same on every page that goes on from the visitor's prompt."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.serving import config
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState


def draw(session: TextState, t: Translator, on_prompt: Callable[[str], None]) -> None:
    """`on_prompt` is told the text that was typed or taken. Stands outside of a fragment: a step does not touch it."""

    def typed() -> None:
        on_prompt(str(session_state.widget("prompt") or ""))

    def taken(text: str) -> None:
        session_state.set_widget("prompt", text)
        on_prompt(text)

    session_state.default_widget("prompt", session.prompt)
    session_state.resend_widget("prompt")
    st.text_input(
        t("step.prompt"), key="prompt", placeholder=t("step.placeholder"), on_change=typed,
        label_visibility="collapsed", persist_state="session", disabled=config.current().demo,
    )  # fmt: skip
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="examples"):
        st.caption(t("step.try"), width="content")
        for text in t.list("step.examples.list"):
            st.button(text, key=f"example {text}", type="tertiary", on_click=taken, args=(text,))
