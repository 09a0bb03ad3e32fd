"""Messages for the visitor about engine errors."""

from __future__ import annotations

import streamlit as st

from engine.errors import EngineError, ModelError, PromptError
from pages.i18n.translator import Translator, plain


def escaped_values(problem: EngineError) -> dict[str, object]:
    """Values for the error's sentence, texts from visitors and models escaped."""
    return {name: plain(v) if isinstance(v, str) else v for name, v in problem.values.items()}


def show_problem(problem: EngineError | None, t: Translator, unchanged: str = "error.kept") -> None:
    """Show the message of an error, nothing for None; a host limit as a warning, any other error as an error.

    `unchanged`: locale key of the sentence after a PromptError, which states that the text is kept.
    """
    with st.container():  # also without a message, so that the elements after it keep their place in the page
        if problem is not None:
            sentence = t(f"error.{problem.code}", **escaped_values(problem))
            show = st.warning if problem.code.startswith("limit_") else st.error
            show(f"{sentence} {t(unchanged)}" if isinstance(problem, PromptError) else sentence)


def show_model_problem(problem: EngineError | None, t: Translator) -> None:
    """Show why a model was not loaded; other problems of the session concern the step page's text."""
    show_problem(problem if isinstance(problem, ModelError) else None, t)
