"""What this process does for its visitors, in figures: steps, answers, refusals. For the host, about nobody.

Rates and percentiles are of the last minute; counts and the histogram are since the start, as Prometheus wants them.
It knows no text and no visitor; `metrics.py` and the status page show it.
"""

from __future__ import annotations

import bisect
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds, of the histogram of answers
_WINDOW = 60.0
_MOST = 20_000  # of either kind in the window


def now() -> float:
    """Seconds on the clock that all of this goes by."""
    return time.monotonic()


class Metrics:
    """Safe for many threads.

    steps     asked for and granted since the start
    refused   how often each limit was met, by its code
    failures  errors that nobody had foreseen
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: deque[tuple[float, int]] = deque(maxlen=_MOST)
        self._answers: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self._buckets = [0] * (len(BOUNDS) + 1)
        self.steps = 0
        self.failures = 0
        self.answer_seconds = 0.0
        self.refused: Counter[str] = Counter()

    def stepped(self, count: int) -> None:
        with self._lock:
            self.steps += count
            self._steps.append((now(), count))

    def answered(self, seconds: float) -> None:
        """A move was answered: from its arrival to the last thing drawn for it."""
        with self._lock:
            self.answer_seconds += seconds
            self._buckets[bisect.bisect_left(BOUNDS, seconds)] += 1
            self._answers.append((now(), seconds))

    def refuse(self, code: str) -> None:
        with self._lock:
            self.refused[code] += 1

    def fail(self) -> None:
        with self._lock:
            self.failures += 1

    def steps_per_second(self) -> float:
        """Over the last minute."""
        since = now() - _WINDOW
        with self._lock:
            return sum(count for at, count in self._steps if at >= since) / _WINDOW

    def percentiles(self, shares: Sequence[float]) -> list[float | None]:
        """Seconds within which so many of the last minute's moves were answered (nearest rank); None where none was."""
        since = now() - _WINDOW
        with self._lock:
            taken = sorted(seconds for at, seconds in self._answers if at >= since)
        return [taken[max(0, -int(-share * len(taken) // 1) - 1)] if taken else None for share in shares]

    def histogram(self) -> tuple[list[tuple[float, int]], int, float]:
        """(upper bound, how many at most so long) for each bound; how many in all; their seconds in all."""
        with self._lock:
            running, cumulative = 0, []
            for bound, count in zip(BOUNDS, self._buckets, strict=False):
                running += count
                cumulative.append((bound, running))
            return cumulative, sum(self._buckets), self.answer_seconds


METRICS = Metrics()


def memory_bytes() -> int:
    """What this process holds in memory now; where the system does not tell, the most it ever held."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
