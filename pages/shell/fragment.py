"""Fragments of a page, which Streamlit reruns on their own after an action, with error messages for host limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import streamlit as st
from streamlit.errors import StreamlitAPIException

from engine.errors import EngineError
from engine.serving import admission
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, extensions, navigation
from pages.shell.messages import show_problem
from pages.shell.model_access import loaded_model

P = ParamSpec("P")


def part(draw: Callable[P, None]) -> Callable[P, None]:
    """`st.fragment` that shows an EngineError raised while drawing as a message.

    Switches to the step page instead if `open_in_step` has loaded a text there.
    """

    @wraps(draw)
    def guarded(*arguments: P.args, **named: P.kwargs) -> None:
        session = session_state.get(TextState)
        if session.open_step_page:
            session.open_step_page = False
            st.switch_page(navigation.path(navigation.STEP))
        with admission.response_timer():
            try:
                draw(*arguments, **named)
            except EngineError as error:
                show_problem(error, Translator(session_state.language()))

    return st.fragment(guarded)


def workbench(draw: Callable[[], Callable[[], None] | None]) -> Callable[[], None]:
    """`part` for the fragment that uses the model, with the course's sheet below it during a lesson.

    `draw` may return a function for what nobody waits for: it is called when the sheet is drawn as well.
    Where it cannot be drawn, text and settings still go into the URL, so that a reload keeps them.
    """

    @wraps(draw)
    def with_companion() -> None:
        t = Translator(session_state.language())
        extensions.companion.turn_to_page(t)
        afterwards = None
        with st.container():  # always one element, so that the sheet keeps its place when the page's parts change
            try:
                afterwards = draw()
            except EngineError as error:
                show_problem(error, t)
                if (bar := session_state.get(address.AddressState).bar) is not None:
                    bar.update()
        extensions.companion.draw(loaded_model(session_state.get(TextState)), t)
        if extensions.report is not None:
            extensions.report(extensions.companion.place())
        if afterwards is not None:
            afterwards()

    return part(with_companion)


def mark_answered() -> None:
    """End the response time of the current action; later work, such as prefetching, is not part of it."""
    admission.mark_answered()


def rerun(after: float = 0.0) -> NoReturn:
    """Rerun after `after` seconds: the current fragment if there is one, else the whole page."""
    admission.mark_answered()
    time.sleep(after)
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:  # the whole page is being run
        st.rerun()
