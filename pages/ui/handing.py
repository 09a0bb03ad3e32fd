"""Hands a text over to the step page: it is put on that page's table, and the page is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages.ui import models, settings
from pages.ui.session import Session


def hand_over(session: Session, move: Callable[..., bool], *arguments: Any) -> None:
    """For callbacks: `move(session, model, …)` puts the text there, and says whether it did. Where the model is not in
    memory nothing happens."""
    model = models.ready(session)
    if model is not None and move(session, model, *arguments):
        settings.show(session)
        session.handed = True
