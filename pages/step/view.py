"""Extent of the step page: all of it, or on a first visit only the text, few bars and the buttons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.components.register import register
from pages.i18n.translator import Translator
from pages.session.text_state import FIRST_SETTINGS, TextState
from pages.shell import extensions, navigation
from pages.shell.web import simple_view
from pages.step.state import StageState

_memory = register("view", Path(__file__))


@dataclass
class View:
    """The extent that the visitor chose; `simple` is None before the first drawing."""

    simple: bool | None = None


def begin(view: View, state: StageState, session: TextState) -> None:
    """Decide on the extent, before the page's first drawing; on a first visit the app writes the first tokens."""
    if view.simple is None:
        query = st.query_params.to_dict()
        view.simple = simple_view.is_simple(st.context.cookies, query)
        if view.simple and simple_view.is_fresh(query) and session.trace is None:
            state.arrive(session.prompt)


def is_simple(view: View, session: TextState) -> bool:
    """Whether the page is drawn reduced: not in a lesson, and not with settings whose controls would be missing."""
    return bool(view.simple) and _usual(session) and not extensions.companion.active


def _usual(session: TextState) -> bool:
    return session.settings == FIRST_SETTINGS and session.strategy == "sample"


def draw_doors(view: View, session: TextState, t: Translator) -> None:
    """The ways from the reduced page to the course and to all of the page, and from there back."""
    with st.container(key="doors", horizontal=True, vertical_alignment="center", gap="medium"):
        if is_simple(view, session):
            if extensions.links is not None:  # not where the page is run alone
                st.page_link(navigation.path("learn"), label=t("first.course"), width="content")
            st.button(t("first.more"), key="see_more", on_click=_show, args=(view, False))
            if extensions.links is not None:
                with st.container(key="teachers_door", width="content"):
                    st.page_link(navigation.path("teachers"), label=t("teachers.short"), width="content")
        elif _usual(session) and not extensions.companion.active:
            st.button(t("first.less"), key="see_less", type="tertiary", on_click=_show, args=(view, True))


def remember(view: View) -> None:
    """Have the browser remember the extent for its next visit."""
    _memory(key="view", data={"cookie": simple_view.cookie(bool(view.simple))})


def _show(view: View, simple: bool) -> None:
    view.simple = simple
