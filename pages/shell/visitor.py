"""The visitor of the current thread, and admission control for Streamlit's sessions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import TypeVar

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from engine.errors import EngineError
from engine.serving import admission
from pages.i18n.translator import Translator, shipped
from pages.shell import extensions
from pages.shell.messages import show_problem

T = TypeVar("T")
_thread = threading.local()


def current_visitor() -> str | None:
    """Session id of the visitor whose page, callback or task this thread runs; None where it runs none."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else getattr(_thread, "visitor", None)


def run_as_visitor(work: Callable[[], T]) -> Callable[[], T]:
    """`work` on behalf of the current visitor, callable on any thread (Streamlit generates downloads on its own)."""
    visitor = current_visitor()

    def run() -> T:
        _thread.visitor = visitor
        try:
            return work()
        finally:
            del _thread.visitor

    return run


def is_connected(visitor: str) -> bool:
    """Whether a visitor's browser is connected; always true without a server, as in tests."""
    return not runtime.exists() or runtime.get_instance().is_active_session(visitor)


def _own_prompts() -> Collection[str]:
    """The app's own texts, which demo mode allows as prompts."""
    return shipped() | extensions.companion.prompts()


admission.serve(who=current_visitor, present=is_connected, end=st.stop, texts=_own_prompts)


def admit(t: Translator) -> bool:
    """Admit the visitor. At the session limit, show a message and a button to try again, and return False."""
    try:
        admission.admit()
    except EngineError as error:
        show_problem(error, t)
        st.button(t("host.again"), key="again", type="primary")
        return False
    return True
