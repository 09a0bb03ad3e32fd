"""The one module that touches `st.session_state`: there it keeps what a visitor works on, and their language."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import streamlit as st
from streamlit import runtime
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from engine.serving import admission
from pages.learn.course import Course
from pages.learn.reading import prompts
from pages.ui.beam_session import Beaming
from pages.ui.comparison import Comparison
from pages.ui.cutting import Cutting
from pages.ui.forcing import Forcing
from pages.ui.i18n import sentences, shipped
from pages.ui.limits_session import Limits
from pages.ui.looking import Looking
from pages.ui.opening import Opening
from pages.ui.quizzing import Quizzing
from pages.ui.said import Address
from pages.ui.session import Session
from pages.ui.using import Using

LANGUAGES = ("zh_Hant", "en")
T = TypeVar("T")
_errand = threading.local()
_LANGUAGE_KEY = "lang"  # also the name of the query parameter


def _kept(key: str, begin: Callable[[], T]) -> T:
    """What this visitor has under a key, begun on first use: kept while they look at other pages."""
    if key not in st.session_state:
        st.session_state[key] = begin()
    found: T = st.session_state[key]
    return found


def session() -> Session:
    """This visitor's session, begun on first use with the first example of their language."""
    return _kept("session", lambda: Session(prompt=sentences(language())["step.examples.list"][0]))


def comparison() -> Comparison:
    """What this visitor compares."""
    return _kept("comparison", Comparison)


def beaming() -> Beaming:
    """What this visitor looks at on the beam page."""
    return _kept("beaming", Beaming)


def looking() -> Looking:
    """What this visitor looks at inside the model."""
    return _kept("looking", Looking)


def cutting() -> Cutting:
    """What this visitor cuts into tokens."""
    return _kept("cutting", Cutting)


def forcing() -> Forcing:
    """What this visitor reads under teacher forcing."""
    return _kept("forcing", Forcing)


def course() -> Course:
    """How far this visitor is in the course."""
    return _kept("course", Course)


def limits() -> Limits:
    """What this visitor tries out on the limits page."""
    return _kept("limits", Limits)


def address() -> Address:
    """What this visitor's address bar says."""
    return _kept("address", Address)


def opening() -> Opening:
    """What came of the last recording that this visitor opened."""
    return _kept("opening", Opening)


def quizzing() -> Quizzing:
    """This visitor's game of guessing."""
    return _kept("quizzing", Quizzing)


def using() -> Using:
    """What this visitor asks of a model on the uses page."""
    return _kept("using", Using)


def language() -> str:
    """The language chosen in the app; before that, the one that the address names, or the nearest to the browser's."""
    chosen = st.session_state.get(_LANGUAGE_KEY) or st.query_params.get(_LANGUAGE_KEY)
    return chosen if chosen in LANGUAGES else browser_language()


def browser_language() -> str:
    """Any Chinese reads the Chinese text, everyone else the English one."""
    return "zh_Hant" if (st.context.locale or "").lower().startswith("zh") else "en"


def language_key() -> str:
    return _LANGUAGE_KEY


def widget(key: str) -> Any:
    """The value of a widget by its key, for callbacks."""
    return st.session_state.get(key)


def set_widget(key: str, value: Any) -> None:
    """Give a widget a value; only before it is drawn in this run, or from a callback."""
    st.session_state[key] = value


def arrive(page: str) -> None:
    """The visitor is on a page now, by the name that its address has."""
    if page != course().here:
        course().here = page
        st.session_state["visit"] = st.session_state.get("visit", 0) + 1


def tell_widget(key: str) -> None:
    """Send a widget what it holds, once a visit of a page: there it is a new one to the browser.

    One that is told so in every run would take back what a visitor types meanwhile.
    """
    visit = st.session_state.get("visit", 0)
    if st.session_state.get(f"{key} told") != visit:
        st.session_state[f"{key} told"] = visit
        st.session_state[key] = st.session_state[key]


def default_widget(key: str, value: Any) -> None:
    """The value that a widget begins with."""
    st.session_state.setdefault(key, value)


def went_through_history() -> bool:
    """Whether the page is run because the visitor went Back or Forward."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.is_history_navigation


def _visitor() -> str | None:
    """Who it is for whom this thread runs a page, a callback or an errand; None for a thread that runs none."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else getattr(_errand, "visitor", None)


def errand(work: Callable[[], T]) -> Callable[[], T]:
    """The same work for this visitor, wherever it will be done: Streamlit makes a download on a thread of its own."""
    visitor = _visitor()

    def run() -> T:
        _errand.visitor = visitor
        try:
            return work()
        finally:
            del _errand.visitor

    return run


def _present(visitor: str) -> bool:
    """Whether a visitor's browser is connected. (Tests drive pages with no server: there everybody is.)"""
    return not runtime.exists() or runtime.get_instance().is_active_session(visitor)


admission.serve(who=_visitor, present=_present, end=st.stop, texts=lambda: shipped() | prompts())


def rerun(after: float = 0.0) -> NoReturn:
    """Run again what is running, some seconds from now: the fragment alone where that is possible."""
    admission.mark_answered()
    time.sleep(after)
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:  # the whole page is being run
        st.rerun()


def dark() -> bool:
    return st.context.theme.type == "dark"
