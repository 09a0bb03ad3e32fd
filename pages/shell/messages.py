"""TODO"""

from __future__ import annotations

import streamlit as st

from engine.errors import EngineError, PromptError
from pages.i18n.translator import Translator, plain


def show_problem(problem: EngineError | None, t: Translator, kept: str = "error.kept") -> None:
    """Say what went wrong, if anything did; of a prompt, that nothing of what was typed is lost."""
    if problem is not None:
        values = {name: plain(v) if isinstance(v, str) else v for name, v in problem.values.items()}
        sentence = t(f"error.{problem.code}", **values)
        say = st.warning if problem.code.startswith("limit_") else st.error  # nobody did anything wrong
        say(f"{sentence} {t(kept)}" if isinstance(problem, PromptError) else sentence)
