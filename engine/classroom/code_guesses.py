"""Bound of wrong codes and secrets that can be tried a minute, by one visitor and by all together.

Somebody who tries codes opens new sessions, so the bound for all is the one that protects a room: with 300 of eight
million codes a minute and twenty rooms open all the time, even odds to enter one take some fifteen hours. A class that
mistypes its code stays far below either bound.
"""

from __future__ import annotations

import math
import threading
from collections import deque

from engine.errors import EngineError
from engine.serving import json_logs, metrics

WINDOW_SECONDS = 60.0
MOST_OF_ONE = 10
MOST_OF_ALL = 300


class CodeGuesses:
    """Wrong codes of the last minute. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: deque[tuple[float, str]] = deque()  # (time, visitor)

    def check(self, visitor: str) -> None:
        """Raises EngineError(`limit_codes`, value: `seconds` to wait) if a code may not be tried now."""
        with self._lock:
            self._forget_old()
            everybody = [at for at, _ in self._wrong]
            own = [at for at, who in self._wrong if who == visitor]
        bounds = ((own, MOST_OF_ONE), (everybody, MOST_OF_ALL))
        full = [times[-most] for times, most in bounds if len(times) >= most]
        if full:
            metrics.METRICS.record_refusal("limit_codes")
            json_logs.event("refused", visitor=visitor, code="limit_codes")
            seconds = math.ceil(max(full) + WINDOW_SECONDS - metrics.now())
            raise EngineError("limit_codes", "too many wrong codes", seconds=max(1, seconds))

    def record_wrong(self, visitor: str) -> None:
        """Count a wrong code or secret, and tell the host."""
        with self._lock:
            self._wrong.append((metrics.now(), visitor))
            recent = len(self._wrong)
        json_logs.event("wrong_room_code", visitor=visitor, last_minute=recent)

    def _forget_old(self) -> None:
        while self._wrong and self._wrong[0][0] <= metrics.now() - WINDOW_SECONDS:
            self._wrong.popleft()
