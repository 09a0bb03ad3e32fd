"""The one module that touches `st.session_state`: there it keeps what a visitor works on, and their language."""

from __future__ import annotations

from typing import Any, NoReturn

import streamlit as st
from streamlit.errors import StreamlitAPIException

from pages.ui.beam_session import Beaming
from pages.ui.comparison import Comparison
from pages.ui.i18n import sentences
from pages.ui.looking import Looking
from pages.ui.session import Session

LANGUAGES = ("zh_Hant", "en")
_LANGUAGE_KEY = "lang"  # also the name of the query parameter


def session() -> Session:
    """This visitor's session, begun on first use with the first example of their language."""
    if "session" not in st.session_state:
        st.session_state["session"] = Session(prompt=sentences(language())["step.examples.list"][0])
    found: Session = st.session_state["session"]
    return found


def comparison() -> Comparison:
    """What this visitor compares: kept while they look at other pages."""
    if "comparison" not in st.session_state:
        st.session_state["comparison"] = Comparison()
    found: Comparison = st.session_state["comparison"]
    return found


def beaming() -> Beaming:
    """What this visitor looks at on the beam page."""
    if "beaming" not in st.session_state:
        st.session_state["beaming"] = Beaming()
    found: Beaming = st.session_state["beaming"]
    return found


def looking() -> Looking:
    """What this visitor looks at inside the model."""
    if "looking" not in st.session_state:
        st.session_state["looking"] = Looking()
    found: Looking = st.session_state["looking"]
    return found


def language() -> str:
    """The language chosen in the app; before that, the nearest to the browser's."""
    chosen = st.session_state.get(_LANGUAGE_KEY)
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


def default_widget(key: str, value: Any) -> None:
    """The value that a widget begins with."""
    st.session_state.setdefault(key, value)


def rerun() -> NoReturn:
    """Run again what is running: the fragment alone where that is possible."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:  # the whole page is being run
        st.rerun()


def dark() -> bool:
    return st.context.theme.type == "dark"
