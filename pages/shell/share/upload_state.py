"""A recording that comes from a file, on its way to the table. Knows no screen."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import EngineError
from engine.serving import model_registry
from engine.trace import json_file
from pages.session.text_state import TextState


@dataclass
class UploadState:
    """What came of the last file. `turn` grows with every one that was opened, and its box is then empty again."""

    turn: int = 0
    opened: bool = False
    problem: EngineError | None = None

    def read(self, session: TextState, data: bytes) -> None:
        """Put the recording in `data` on the table, with its model; or put on record why not, and leave all as it is.

        A model that nobody has asked for yet is waited for here, so that all is changed at once or nothing.
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
