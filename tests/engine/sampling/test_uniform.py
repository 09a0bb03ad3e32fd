"""Uniform numbers for draws: in [0, 1), a pure function of seed and position, stable across versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine


@given(st.integers(0, 2**64), st.integers(0, 2**31))
def test_in_range_and_a_pure_function(seed: int, position: int) -> None:
    u = engine.uniform(seed, position)
    assert 0 <= u < 1
    np.random.seed(1)
    assert engine.uniform(seed, position) == u


def test_links_of_today_replay_in_every_later_version() -> None:
    known = {
        (0, 0): 0.011546754286331562,
        (0, 1): 0.5023796042735054,
        (1, 0): 0.3035680343067586,
        (42, 7): 0.4074136540795371,
        (123456789, 1000): 0.012247523039129682,
    }
    assert {key: engine.uniform(*key) for key in known} == known


@pytest.mark.parametrize("along", ["seed", "position"])
def test_evenly_spread(along: str) -> None:
    count = 10_000
    values = sorted(engine.uniform(i, 5) if along == "seed" else engine.uniform(5, i) for i in range(count))
    distance = max(abs((i + 0.5) / count - value) for i, value in enumerate(values))  # Kolmogorov-Smirnov
    assert distance < 1.95 / math.sqrt(count)
    assert len(set(values)) == count


def test_neighbours_have_nothing_to_do_with_each_other() -> None:
    table = np.array([[engine.uniform(seed, position) for position in range(100)] for seed in range(100)])
    for left, right in [(table[:, :-1], table[:, 1:]), (table[:-1], table[1:]), (table, table.T)]:
        off = ~np.eye(100, dtype=bool)[: left.shape[0], : left.shape[1]]
        assert abs(np.corrcoef(left[off], right[off])[0, 1]) < 0.04


@pytest.mark.parametrize(("seed", "position"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(seed: int, position: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        engine.uniform(seed, position)
