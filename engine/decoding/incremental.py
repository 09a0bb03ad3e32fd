"""Computation in small steps, which can be ended early: a generator that yields after each step."""

from __future__ import annotations

from collections.abc import Generator


class IncrementalWork:
    """Base of computations whose steps are those of a generator. Not thread-safe.

    done  whether it is finished or was stopped
    """

    def __init__(self, work: Generator[bool]) -> None:
        self.done = False
        self._work = work

    def step(self) -> bool:
        """One more step. True while there is more to do. Raises what the generator raises."""
        if not self.done and next(self._work, None) is None:
            self.done = True
        return not self.done

    def stop(self) -> None:
        """End early; what is there remains."""
        self.done = True
        self._work.close()
