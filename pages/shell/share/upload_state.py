"""State of the upload box: loads a recording from a JSON file into the session. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import EngineError
from engine.serving import model_registry
from engine.trace import json_file
from pages.session.text_state import TextState


@dataclass
class UploadState:
    """Result of the last upload."""

    turn: int = 0  # incremented by every opened file; part of the box's key, so that the box is empty again
    opened: bool = False  # the step page is to be opened
    problem: EngineError | None = None

    def read(self, session: TextState, data: bytes) -> None:
        """Load the recording in `data` into the session, with its model; on an EngineError, only set `problem`.

        Waits until the model is loaded, so that either everything is changed or nothing.
        """
        self.problem = None
        try:
            trace = json_file.from_json(data)
            session.load_trace(model_registry.request(trace.model).result(), trace)
        except EngineError as error:
            self.problem = error
            return
        session.choose_model(trace.model)
        self.turn, self.opened = self.turn + 1, True
