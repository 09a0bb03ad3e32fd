"""Frame of every page: global style, document language, title, share panel and lead."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from engine.serving import config
from pages.components import theme
from pages.components.register import register
from pages.frame import streamlit_words
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import extensions
from pages.shell.share import panel
from pages.shell.share.downloads import NOTHING, Exports

_HERE = Path(__file__).parent


@cache
def _style() -> str:
    """Style of every page, of it on paper, and of it in presentation mode. Nothing that a visitor typed is in it."""
    files = ("page_style.css", "print_style.css", "presented_page.css")
    return "".join((_HERE / file).read_text("utf-8") for file in files) + theme.page_css()


_language = register("language", _HERE / "document_language.js")
_printing = register("printing", _HERE / "printing.js")


def begin(title: str, lead: str, session: TextState, t: Translator, exports: Exports = NOTHING) -> None:
    """Draw the head of a page: top bar with the share panel of the page's `exports`, title, lead, notice of a demo."""
    st.html(f"<style>{_style()}</style>")
    _language(key="language", data={"language": t.language.replace("_", "-")}, on_turned_change=lambda: None)
    _printing(key="printing", data={})
    streamlit_words.draw(t)
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small"):
        if extensions.links is not None and not st.context.is_embedded:
            extensions.links(t)
        panel.draw(session, t, exports)
    with st.container(key="room_line_place"):  # also where nothing is drawn: what follows keeps its place
        if extensions.room_line is not None:
            extensions.room_line(t)
    with st.container(key="head", horizontal=True, vertical_alignment="top", gap="medium"):
        st.title(title, anchor=False, width="content")
        with st.container(key="lead"):
            st.caption(lead)
    if config.current().demo:
        st.info(t("host.demo"))
