"""Hands a text over to the step page: it is put on that page's table, and the page is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages.session.text_state import TextState
from pages.shell import model_access, sampling_controls


def open_in_step(session: TextState, move: Callable[..., bool], *arguments: Any) -> None:
    """For callbacks: `move(session, model, …)` puts the text there, and says whether it did. Where the model is not in
    memory nothing happens."""
    model = model_access.loaded_model(session)
    if model is not None and move(session, model, *arguments):
        sampling_controls.sync_widgets(session)
        session.handed = True
