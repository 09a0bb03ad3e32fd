"""Metrics of this process: model steps, response times, refusals by limit, logged errors, memory.

Rates and percentiles cover the last minute; counters and the histogram are cumulative, as in Prometheus. Nothing is
recorded by text or by visitor. Exported by `prometheus.py` and the status page.
"""

from __future__ import annotations

import bisect
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # upper bounds of the response time buckets, seconds
_WINDOW_SECONDS = 60.0
_MAX_ENTRIES = 20_000  # charges, and response times, remembered for the window


def now() -> float:
    """Monotonic time in seconds; the clock of all metrics and of admission control."""
    return time.monotonic()


class Metrics:
    """Counters and recent events of one process. Thread-safe.

    steps           model steps charged since the start
    answer_seconds  sum of all response times, in seconds
    refused         number of refusals by error code of the limit
    failures        number of log records of level ERROR or higher, see `json_logs`
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: deque[tuple[float, int]] = deque(maxlen=_MAX_ENTRIES)  # (time, steps)
        self._answers: deque[tuple[float, float]] = deque(maxlen=_MAX_ENTRIES)  # (time, seconds)
        self._buckets = [0] * (len(BOUNDS) + 1)  # the last one: above all bounds
        self.steps = 0
        self.failures = 0
        self.answer_seconds = 0.0
        self.refused: Counter[str] = Counter()

    def stepped(self, count: int) -> None:
        """Record a charge of `count` model steps."""
        with self._lock:
            self.steps += count
            self._steps.append((now(), count))

    def answered(self, seconds: float) -> None:
        """Record a response time: from the arrival of an action until its results are drawn."""
        with self._lock:
            self.answer_seconds += seconds
            self._buckets[bisect.bisect_left(BOUNDS, seconds)] += 1
            self._answers.append((now(), seconds))

    def refuse(self, code: str) -> None:
        """Record a refusal by the limit with this error code."""
        with self._lock:
            self.refused[code] += 1

    def fail(self) -> None:
        """Record a logged error."""
        with self._lock:
            self.failures += 1

    def steps_per_second(self) -> float:
        """Mean rate of charged model steps over the last minute."""
        since = now() - _WINDOW_SECONDS
        with self._lock:
            return sum(count for recorded, count in self._steps if recorded >= since) / _WINDOW_SECONDS

    def percentiles(self, shares: Sequence[float]) -> list[float | None]:
        """Percentiles of the last minute's response times in seconds (nearest rank); None without responses.

        shares: from 0 to 1, such as 0.95.
        """
        since = now() - _WINDOW_SECONDS
        with self._lock:
            times = sorted(seconds for recorded, seconds in self._answers if recorded >= since)
        return [times[max(0, -int(-share * len(times) // 1) - 1)] if times else None for share in shares]

    def histogram(self) -> tuple[list[tuple[float, int]], int, float]:
        """Response times: ((upper bound, cumulative count) for each bound, total count, sum in seconds)."""
        with self._lock:
            total, cumulative = 0, []
            for bound, count in zip(BOUNDS, self._buckets, strict=False):
                total += count
                cumulative.append((bound, total))
            return cumulative, sum(self._buckets), self.answer_seconds


METRICS = Metrics()


def memory_bytes() -> int:
    """Resident memory of this process; its peak where the system has no /proc."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024  # bytes on macOS, KiB elsewhere
