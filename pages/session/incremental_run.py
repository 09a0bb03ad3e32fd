"""TODO"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError
from engine.serving import admission


@dataclass
class IncrementalRun:
    """One experiment. `asked` is what `work` belongs to; `work` has `step()`, `stop()`, `done` and `progress`, or is an
    answer that was there at once."""

    asked: Any = None
    work: Any = None
    running: bool = False
    stopped: bool = False  # a person cut it short
    turn: int = 0  # grows with every start; a click carries the turn it was made on
    problem: EngineError | None = None

    def begin(self, asked: Any, make: Callable[[], Any]) -> None:
        """Begin anew. Where that cannot be, what came of the last time stays, and the problem is on record."""
        try:
            work = make()
        except EngineError as error:
            self.problem = error
            return
        self.stop()
        self.asked, self.work, self.problem, self.stopped = asked, work, None, False
        self.running = hasattr(work, "step")
        self.turn += 1

    def go_on(self, seconds: float) -> bool:
        """Go on for about so long. True while there is more to do."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            try:
                admission.charge()
                self.running = self.work.step()
            except EngineError as error:  # what is there stays
                self.problem = error
                self.stop()
        return self.running

    def stop(self) -> None:
        """The person says stop; what is there stays."""
        if self.running:
            self.running, self.stopped = False, True
            self.work.stop()
