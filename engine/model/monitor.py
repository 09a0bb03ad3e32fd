"""Progress of a load, told to whoever waits for it, and the request to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from engine.errors import stopped_error

T = TypeVar("T")
_STOP_SECONDS = 0.1  # until a stop is noticed


class Monitor:
    """Stages and bytes of one load. Raises ModelError(`stopped`) at the next of its calls once `stop` is set."""

    def __init__(
        self,
        name: str,
        stage: Callable[[str], None] = lambda _: None,
        progress: Callable[[int, int], None] = lambda done, total: None,
        stop: threading.Event | None = None,
    ) -> None:
        self._name, self._stage, self._progress, self._stop = name, stage, progress, stop

    def begin(self, stage: str) -> None:
        """A stage begins."""
        self.check()
        self._stage(stage)

    def progress(self, done: int, total: int) -> None:
        """Bytes done, of all bytes of this stage."""
        self.check()
        self._progress(done, total)

    def check(self) -> None:
        """Raise ModelError(`stopped`) if the load shall stop."""
        if self._stop is not None and self._stop.is_set():
            raise stopped_error(self._name)

    def wait(self, seconds: float) -> None:
        """A pause that a stop ends."""
        if self._stop is None:
            threading.Event().wait(seconds)
        else:
            self._stop.wait(seconds)
        self.check()

    @contextmanager
    def turn(self, lock: threading.Lock) -> Iterator[None]:
        """Context that holds a lock; a stop ends the waiting for it."""
        while not lock.acquire(timeout=_STOP_SECONDS):
            self.check()
        try:
            yield
        finally:
            lock.release()

    def run(self, work: Callable[[], T]) -> T:
        """Result of `work`. With a stop, it runs on a thread of its own and is left behind when stopped.

        That thread ends at its next call of this monitor, or when the network answers.
        """
        if self._stop is None:
            return work()
        result: Future[T] = Future()

        def complete() -> None:
            try:
                result.set_result(work())
            except BaseException as error:
                result.set_exception(error)

        threading.Thread(target=complete, name=f"work on {self._name}", daemon=True).start()
        while True:
            self.check()
            try:
                return result.result(_STOP_SECONDS)
            except TimeoutError:
                if result.done():  # raised by the work
                    raise
