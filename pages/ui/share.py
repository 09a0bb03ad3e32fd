"""The share panel, the same in the head of every page: drawn only while it is open, so that it costs nothing closed.

What else leaves the app (files, pictures) is `exports.py`'s, below the link.
"""

from __future__ import annotations

import streamlit as st

from pages.ui import exports
from pages.ui.i18n import Translator
from pages.ui.picture import Place
from pages.ui.session import Session


@st.fragment
def draw(session: Session, t: Translator, place: Place | None = None) -> None:
    """A button; opened, everything by which this page can be given to others, as it stands at that moment."""
    panel = st.popover(t("share.title"), key="share", on_change="rerun")
    if panel.open:
        with panel:
            st.caption(t("share.lead"))
            st.code(st.context.url or "", language=None, wrap_lines=True)
            exports.draw(session, t, place)
