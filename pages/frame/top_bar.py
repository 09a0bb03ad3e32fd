"""Bar at the top of every page: the app's name, the course, the lab's pages, the game, the language, the display."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from engine.serving import config
from pages.frame import display
from pages.i18n.translator import LANGUAGES, Translator
from pages.session import session_state
from pages.shell import navigation
from pages.shell.navigation import COURSE, Page

_PICTURES = Path(__file__).parent / "pictures"


def draw(t: Translator) -> None:
    """The links and the controls, in the container of the bar. In a narrow window all links are in one menu."""
    st.page_link(navigation.path(navigation.STEP), label=t("app.title"), width="content")
    with st.container(key="bar_links", horizontal=True, vertical_alignment="center", gap="small", width="content"):
        for page in _shown(COURSE):
            st.page_link(page.path, label=t(page.title), width="content")
    with st.popover(t("app.lab"), key="menu"):
        with st.container(key="menu_course"):
            for page in _shown(COURSE):
                st.page_link(page.path, label=t(page.title))
            display.draw(t, menu=True)
        with st.container(key="menu_lab"):
            for page in _shown(navigation.LAB):
                _tile(page, t)
        with st.container(key="menu_teachers"):
            for page in _shown(navigation.TEACHING):
                st.page_link(page.path, label=t(page.title))
    _draw_language(t)
    display.draw(t)


def _shown(section: str) -> list[Page]:
    """Pages of a section that have a link."""
    pages = [*navigation.PAGES, *((navigation.STATUS,) if config.current().status else ())]
    return [page for page in pages if page.section == section and not page.hidden]


def _tile(page: Page, t: Translator) -> None:
    """Link to a page of the lab with its picture and a sentence."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.image(_picture(page.name), width=44)
        with st.container(gap=None):
            st.page_link(page.path, label=t(page.title))
            st.caption(t(f"menu.{page.name}"))


@cache
def _picture(name: str) -> str:
    """SVG of a page in the menu; it has the colours of both themes."""
    return (_PICTURES / f"{name}.svg").read_text("utf-8")


def _draw_language(t: Translator) -> None:
    """Control of the language; each language's name is in that language."""
    st.segmented_control(
        t("app.language"),
        LANGUAGES,
        default=session_state.language(),
        required=True,
        format_func=_own_name,
        key=session_state.language_key(),
        persist_state="session",
        label_visibility="collapsed",
        width="content",
    )


def _own_name(language: str) -> str:
    """A language's name in that language."""
    t = Translator(language)
    return t("app.name")
