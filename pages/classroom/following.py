"""The teacher's text on the phones of the class, on whichever page it is written; `app.py` connects it to all pages."""

from __future__ import annotations

import time

from pages.classroom.state import ClassroomState
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import model_access

RUN_SECONDS = 1.0  # between two texts of a run, each of which is drawn anew on every phone


def show(session: TextState) -> None:
    """Show the class the text at the cursor, where the visitor is a teacher whom it follows."""
    state = session_state.get(ClassroomState)
    if state.role != "teacher" or not state.following:
        return
    if session.running and time.monotonic() - state.shown_at < RUN_SECONDS:
        return  # the end of the run is shown in any case
    state.shown_at = time.monotonic()
    model = model_access.loaded_model(session)
    if model is not None:
        state.show_text(model.text(session.ready(model).token_ids()))
