"""Short run of the load measurement, and its statistics."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.load import room
from tests.load.client import Visitor
from tests.load.measure import Measured, measure, report


def test_a_few_visitors_for_a_few_seconds() -> None:
    start = time.monotonic()
    measured = asyncio.run(measure(visitors=5, seconds=6, same=False))
    assert time.monotonic() - start < 60
    assert measured.errors == []
    assert len(measured.seconds) == 5 and all(len(seconds) >= 2 for seconds in measured.seconds)
    assert measured.fairness >= 0.5
    assert 0 < measured.percentile(0.5) <= measured.percentile(0.95) <= measured.percentile(1)
    assert measured.memory[-1][1] > 10**8 and measured.cpu_a_click > 0 and measured.bytes_a_click > 10**3
    text = report(measured, same=False)
    assert "5 visitors" in text and "0 errors" in text


def test_no_answer_of_a_class_is_lost() -> None:
    measured = asyncio.run(room.measure(students=4, rounds=2, idle=0.5))
    assert measured.errors == []
    assert measured.told == measured.counted == 4 * 2
    assert len(measured.asked) == len(measured.revealed) == 8 and len(measured.answers) >= 8 and measured.steps
    text = room.report(measured)
    assert "4 students" in text and "8 confirmed to students, 8 counted" in text


def test_the_figures_are_what_they_are_called() -> None:
    measured = Measured(seconds=[[0.1, 0.2, 0.3], [0.4]], alone=100, together=130)
    assert measured.percentile(0.5) == 0.2 and measured.percentile(0.95) == 0.4 and measured.percentile(0) == 0.1
    assert measured.fairness == pytest.approx(1 / 3)
    assert measured.a_session == 30
    measured.memory = [(0.0, 50), (100.0, 100), (130.0, 105), (180.0, 102)]
    assert measured.growth == pytest.approx(0.02)


def test_only_this_machine_is_spoken_to() -> None:
    with pytest.raises(ValueError, match="only servers on this machine"):
        asyncio.run(Visitor("http://example.org").open())
