"""Prompt box with example buttons, shared by the pages that continue the visitor's prompt."""

from __future__ import annotations

import random
from functools import partial

import streamlit as st

from engine.serving import config
from pages.components import examples, prompt_area
from pages.components.examples import Example
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import example_language, model_access, offered_prompts


def draw(session: TextState, t: Translator) -> None:
    """The box and its examples; a new prompt starts a new trace.

    Drawn outside of fragments, so that a step does not redraw it.
    """

    def set_prompt(text: str) -> None:
        model_access.run_action(session, TextState.set_prompt, text)

    def on_change() -> None:
        set_prompt(str(session_state.widget("prompt") or ""))

    def on_example(text: str) -> None:
        session_state.set_widget("prompt", text)
        set_prompt(text)

    def on_die() -> None:
        texts = example_language.for_examples(t).list("step.examples.more")
        on_example(random.choice([text for text in texts if text != session.prompt]))

    session_state.default_widget("prompt", session.prompt)
    session_state.resend_widget("prompt")
    with st.container(key="prompt_row", horizontal=True, vertical_alignment="center", gap="small"):
        prompt_area.draw(
            t("step.prompt"), "prompt", placeholder=t("step.placeholder"), on_change=on_change,
            label_visibility="collapsed", disabled=config.current().demo, width=360,
        )  # fmt: skip
        prompts = offered_prompts.offered(t)
        chips = [Example(label, f"example {text}", partial(on_example, text)) for label, text in prompts]
        with offered_prompts.box(prompts):
            die = None if offered_prompts.are_from_a_link() else on_die
            examples.draw(chips, t, on_die=die, note=offered_prompts.note(t))
