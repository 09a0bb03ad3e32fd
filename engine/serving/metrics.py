"""Metrics of this process: model steps, response times, refusals by limit, logged errors, memory.

Counters and the histogram are Prometheus's own and cumulative; rates and percentiles cover the last minute. Nothing is
recorded by text or by visitor. Exported by `prometheus.py` and the status page.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

PREFIX = "next_token_"
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # upper bounds of the response time buckets, seconds
_WINDOW_SECONDS = 60.0
_MAX_ENTRIES = 20_000  # charges, and response times, remembered for the window

disable_created_metrics()


def now() -> float:
    """Monotonic time in seconds; the clock of all metrics and of admission control."""
    return time.monotonic()


class Metrics:
    """Counters and recent events of one process. Thread-safe.

    registry  Prometheus registry of `steps`, `errors`, `refused` (by limit) and `answer_seconds` (response times)
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._recent_steps: deque[tuple[float, int]] = deque(maxlen=_MAX_ENTRIES)  # (time, steps)
        self._recent_responses: deque[tuple[float, float]] = deque(maxlen=_MAX_ENTRIES)  # (time, seconds)
        self._steps = self._counter("steps", "Model steps charged to sessions.")
        self._errors = self._counter("errors", "Errors logged.")
        self._refused = self._counter("refused", "Refusals by limit.", "limit")
        self._responses = Histogram(
            PREFIX + "answer_seconds",
            "Time from an action until its results are drawn.",
            buckets=BOUNDS,
            registry=self.registry,
        )

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, description, labels, registry=self.registry)

    def record_steps(self, count: int) -> None:
        """Record a charge of `count` model steps."""
        self._steps.inc(count)
        with self._lock:
            self._recent_steps.append((now(), count))

    def record_response(self, seconds: float) -> None:
        """Record a response time: from the arrival of an action until its results are drawn."""
        self._responses.observe(seconds)
        with self._lock:
            self._recent_responses.append((now(), seconds))

    def record_refusal(self, code: str) -> None:
        """Record a refusal by the limit with this error code."""
        self._refused.labels(code).inc()

    def record_error(self) -> None:
        """Record a log record of level ERROR or higher, see `json_logs`."""
        self._errors.inc()

    @property
    def steps(self) -> int:
        """Model steps charged since the start."""
        return self._total("steps")

    @property
    def errors(self) -> int:
        """Errors logged since the start."""
        return self._total("errors")

    def refused(self, code: str) -> int:
        """Refusals by one limit since the start."""
        return self._total("refused", limit=code)

    def _total(self, name: str, **labels: str) -> int:
        return int(self.registry.get_sample_value(f"{PREFIX}{name}_total", labels) or 0)

    def steps_per_second(self) -> float:
        """Mean rate of charged model steps over the last minute."""
        since = now() - _WINDOW_SECONDS
        with self._lock:
            return sum(count for recorded, count in self._recent_steps if recorded >= since) / _WINDOW_SECONDS

    def percentiles(self, shares: Sequence[float]) -> list[float | None]:
        """Percentiles of the last minute's response times in seconds (nearest rank); None without responses.

        shares: from 0 to 1, such as 0.95.
        """
        since = now() - _WINDOW_SECONDS
        with self._lock:
            times = sorted(seconds for recorded, seconds in self._recent_responses if recorded >= since)
        return [times[max(0, -int(-share * len(times) // 1) - 1)] if times else None for share in shares]


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
