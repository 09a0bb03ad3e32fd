"""Work done in slices between two drawings of a page, so that a visitor sees it grow and can stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError
from engine.serving import admission


def work_for(seconds: float, step: Callable[[], bool]) -> None:
    """Call `step` for about so many seconds, at least once; earlier where it returns False."""
    deadline = time.monotonic() + seconds
    while step() and time.monotonic() < deadline:
        pass


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
        """Continue for about so many seconds. True while there is more to do."""
        work_for(seconds, self._step)
        return self.running

    def _step(self) -> bool:
        if self.running:
            try:
                admission.charge()
                self.running = self.work.step()
            except EngineError as error:  # the results so far stay
                self.problem = error
                self.stop()
        return self.running

    def stop(self) -> None:
        """The person says stop; what is there stays."""
        if self.running:
            self.running, self.stopped = False, True
            self.work.stop()
