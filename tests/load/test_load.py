"""The load script in small: it runs, it measures, nobody is left behind, it stops by itself."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.load.client import Visitor
from tests.load.measure import Measured, measure, report


def test_a_few_visitors_for_a_few_seconds() -> None:
    begun = time.monotonic()
    found = asyncio.run(measure(visitors=5, seconds=6, same=False))
    assert time.monotonic() - begun < 60
    assert found.errors == []
    assert len(found.seconds) == 5 and all(len(of_one) >= 2 for of_one in found.seconds)
    assert found.fairness >= 0.5
    assert 0 < found.percentile(0.5) <= found.percentile(0.95) <= found.percentile(1)
    assert found.memory[-1][1] > 10**8 and found.cpu_a_click > 0 and found.bytes_a_click > 10**3
    told = report(found, same=False)
    assert "5 visitors" in told and "0 errors" in told


def test_the_figures_are_what_they_are_called() -> None:
    found = Measured(seconds=[[0.1, 0.2, 0.3], [0.4]], alone=100, together=130)
    assert found.percentile(0.5) == 0.2 and found.percentile(0.95) == 0.4 and found.percentile(0) == 0.1
    assert found.fairness == pytest.approx(1 / 3)
    assert found.a_session == 30
    found.memory = [(0.0, 50), (100.0, 100), (130.0, 105), (180.0, 102)]
    assert found.growth == pytest.approx(0.02)


def test_only_this_machine_is_spoken_to() -> None:
    with pytest.raises(ValueError, match="only servers on this machine"):
        asyncio.run(Visitor("http://example.org").open())
