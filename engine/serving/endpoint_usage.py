"""Requests to endpoints and the tokens that they took, counted a day (UTC), and the host's bounds on them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from engine.serving import endpoints


@dataclass
class DayUsage:
    """Use of one endpoint on one day.

    requests       number of requests, retries included
    prompt_tokens  tokens that the server says it read
    new_tokens     tokens that it says it wrote
    by_visitor     number of requests of each session
    """

    day: int
    requests: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0
    by_visitor: Counter[str] = field(default_factory=Counter)


_lock = threading.Lock()
_usage: dict[str, DayUsage] = {}


def _today() -> int:
    return int(time.time() // 86_400)


def _of(name: str) -> DayUsage:
    """Requires the lock."""
    found = _usage.get(name)
    if found is None or found.day != _today():
        found = _usage[name] = DayUsage(_today())
    return found


def count_request(name: str, visitor: str | None) -> tuple[Literal["visitor", "day"], int] | None:
    """Count a request of a visitor; None for work of no visitor, such as connecting.

    If it would exceed a bound it is not counted: the result is whose bound, `visitor` or `day`, and its number.
    """
    bounds = endpoints.find(endpoints.PREFIX + name)
    with _lock:
        used = _of(name)
        if visitor is not None and bounds is not None:
            if 0 < bounds.requests_per_visitor <= used.by_visitor[visitor]:
                return "visitor", bounds.requests_per_visitor
            if 0 < bounds.requests_per_day <= used.requests:
                return "day", bounds.requests_per_day
            used.by_visitor[visitor] += 1
        used.requests += 1
    return None


def count_tokens(name: str, prompt_tokens: int, new_tokens: int) -> None:
    """Count the tokens that an answer says it took."""
    with _lock:
        used = _of(name)
        used.prompt_tokens += prompt_tokens
        used.new_tokens += new_tokens


def today() -> dict[str, DayUsage]:
    """Use of each endpoint that was asked today."""
    with _lock:
        return {name: used for name, used in _usage.items() if used.day == _today()}
