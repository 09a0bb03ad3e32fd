"""Turns of exhaustive tests: a run of `make test` takes a part of their cases, each day another one.

`make test-all` takes them all.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

T = TypeVar("T")
ALL = bool(os.environ.get("ALL_CASES"))


def todays(cases: Sequence[T], parts: int, day: int | None = None) -> list[T]:
    """Every `parts`-th of the cases, beginning with another one each day, so that all have had a turn in `parts` days.

    day: number of the day, by default today. All cases where the environment has ALL_CASES.
    """
    if ALL:
        return list(cases)
    start = (date.today().toordinal() if day is None else day) % parts
    return list(cases[start::parts])
