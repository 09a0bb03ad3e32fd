"""Long computations in time slices: the page is drawn after each slice, so results grow and can be stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError
from engine.serving import admission


def work_for(seconds: float, step: Callable[[], bool]) -> None:
    """Call `step` repeatedly for about `seconds`, at least once; stop early when it returns False."""
    deadline = time.monotonic() + seconds
    while step() and time.monotonic() < deadline:
        pass


def without_results(runs: Mapping[str, IncrementalRun]) -> dict[str, IncrementalRun]:
    """New runs in place of some, whose events are outdated."""
    return {name: IncrementalRun(turn=run.turn + 1) for name, run in runs.items()}


@dataclass
class IncrementalRun:
    """One experiment and its state.

    asked  the arguments that `work` belongs to
    work   an incremental computation with `step()`, `stop()`, `done` and `progress`, or a finished result
    """

    asked: Any = None
    work: Any = None
    running: bool = False
    stopped: bool = False  # by the visitor or by an error
    turn: int = 0  # incremented by every start; events of an earlier turn are outdated
    problem: EngineError | None = None
    problem_language: str = ""  # of the box in which the refused text is: each language has its own

    def begin(self, asked: Any, create: Callable[[], Any]) -> None:
        """Start the work that `create` returns; if that raises EngineError, set `problem` and keep the last result."""
        try:
            work = create()
        except EngineError as error:
            self.problem = error
            return
        self.stop()
        self.asked, self.work, self.problem, self.stopped = asked, work, None, False
        self.running = hasattr(work, "step")
        self.turn += 1

    def go_on(self, seconds: float) -> bool:
        """Work for about `seconds`. True while more remains. An error ends the run and keeps its results."""
        work_for(seconds, self._step)
        return self.running

    def _step(self) -> bool:
        if self.running:
            try:
                admission.charge()
                self.running = self.work.step()
            except EngineError as error:
                self.problem = error
                self.stop()
        return self.running

    def stop(self) -> None:
        """End the run and keep its results."""
        if self.running:
            self.running, self.stopped = False, True
            self.work.stop()
