"""Upload of a recording saved as JSON, in the share panel below the downloads.

A file that cannot be opened is rejected with a message, and the current text stays.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.trace import json_file
from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import navigation, sampling_controls
from pages.shell.share.upload_state import UploadState


def draw(session: TextState, t: Translator) -> None:
    """The upload box; after a file was opened, switches to the step page."""
    state = session_state.get(UploadState)
    if state.opened:
        state.opened = False
        if session_state.current_page() == navigation.STEP:
            st.rerun()
        st.switch_page(navigation.path(navigation.STEP))
    key = f"open recording {state.turn}"

    def on_change() -> None:
        file: Any = session_state.widget(key)
        state.problem = None
        if file is not None:
            state.read(session, file.getvalue())
            sampling_controls.sync_widgets(session)

    max_megabytes = json_file.MAX_BYTES // 1_000_000
    kinds = ["json", "txt"]  # some chats and mail programs rename a file to `.json.txt`
    st.file_uploader(t("export.open"), kinds, key=key, max_upload_size=max_megabytes, on_change=on_change)
    if state.problem is not None:
        st.error(t(f"error.{state.problem.code}", **{k: plain(str(v)) for k, v in state.problem.values.items()}))
