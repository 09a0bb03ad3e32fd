"""Opening of a text in the step page, from any other page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages.session.text_state import TextState
from pages.shell import model_access, sampling_controls


def open_in_step(session: TextState, load: Callable[..., bool], *arguments: Any) -> None:
    """For callbacks: load a text into the session, and open the step page in the next fragment run.

    `load(session, model, *arguments)` returns whether it has loaded one. Nothing happens while the model is loading.
    """
    model = model_access.loaded_model(session)
    if model is not None and load(session, model, *arguments):
        sampling_controls.sync_widgets(session)
        session.open_step_page = True
