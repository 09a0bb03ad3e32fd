"""Opens a recording that somebody saved as JSON: in the share panel, below what can be saved.

What cannot be opened is told in a sentence there, and nothing on the table is touched.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.trace import json_file
from pages.ui import settings, state
from pages.ui.i18n import Translator, plain
from pages.ui.session import Session


def draw(session: Session, t: Translator, step_page: bool) -> None:
    opening = state.opening()
    if opening.opened:
        opening.opened = False
        if step_page:
            st.rerun()
        st.switch_page("pages/lab/step.py")
    key = f"open recording {opening.turn}"

    def chosen() -> None:
        file: Any = state.widget(key)
        opening.problem = None
        if file is not None:
            opening.read(session, file.getvalue())
            settings.show(session)

    most = json_file.MOST_BYTES // 1_000_000
    st.file_uploader(t("export.open"), "json", key=key, max_upload_size=most, on_change=chosen)
    if opening.problem is not None:
        st.error(t(f"error.{opening.problem.code}", **{k: plain(str(v)) for k, v in opening.problem.values.items()}))
