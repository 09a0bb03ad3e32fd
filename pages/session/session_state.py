"""Per-visitor state: one object for each state class, widget values, the chosen language.

The only module that touches `st.session_state`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from pages.i18n.translator import LANGUAGES, nearest
from pages.session.query_params import QueryParams

T = TypeVar("T")
_LANGUAGE_KEY = "lang"  # also the name of the query parameter
_PAGE_KEY = "current page"
_VISIT_KEY = "visit"  # number of page changes so far


def get(kind: type[T], create: Callable[[], T] | None = None) -> T:
    """The visitor's object of a state class; created on first use, by `create` or by the class without arguments.

    It is kept while the visitor is on other pages.
    """
    if kind.__name__ not in st.session_state:
        st.session_state[kind.__name__] = (create or kind)()
    state: T = st.session_state[kind.__name__]
    return state


def language() -> str:
    """The language chosen in the app, else the one in the URL, else the browser's nearest."""
    chosen = st.session_state.get(_LANGUAGE_KEY)
    if chosen in LANGUAGES:
        return str(chosen)
    return QueryParams(st.query_params.to_dict()).one_of(_LANGUAGE_KEY, LANGUAGES, browser_language())


def browser_language() -> str:
    """The language nearest to the browser's."""
    return nearest(st.context.locale or "")


def language_key() -> str:
    """Key of the widget that chooses the language."""
    return _LANGUAGE_KEY


def widget(key: str) -> Any:
    """Value of a widget by its key, None where there is none; for callbacks."""
    return st.session_state.get(key)


def set_widget(key: str, value: Any) -> None:
    """Set a widget's value; only before it is drawn in this run, or from a callback."""
    st.session_state[key] = value


def default_widget(key: str, value: Any) -> None:
    """Set a widget's value where it has none yet."""
    st.session_state.setdefault(key, value)


def enter_page(name: str) -> None:
    """Record the page that is being run, by its URL name."""
    if name != current_page():
        st.session_state[_PAGE_KEY] = name
        st.session_state[_VISIT_KEY] = st.session_state.get(_VISIT_KEY, 0) + 1


def current_page() -> str:
    """URL name of the page that is being run; empty before the first."""
    name: str = st.session_state.get(_PAGE_KEY, "")
    return name


def resend_widget(key: str) -> None:
    """Send a widget its value once after each page change, since the browser then creates it anew.

    Sending it in every run would overwrite what the visitor is typing.
    """
    visit = st.session_state.get(_VISIT_KEY, 0)
    if st.session_state.get(f"{key} told") != visit:
        st.session_state[f"{key} told"] = visit
        st.session_state[key] = st.session_state[key]
