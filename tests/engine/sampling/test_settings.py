"""Settings: a value outside its range is rejected by name, both bounds are accepted."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.sampling.settings import RANGES

WHOLE = ("top_k", "no_repeat_ngram_size")


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -1, -0.001, 10**9, True, False, None, "1", [1], 1 + 0j, b"1"]
)
def test_out_of_range_or_of_another_kind(name: str, value: Any) -> None:
    with pytest.raises(engine.SettingsError) as caught:
        engine.Settings(**{name: value})
    assert caught.value.code == name
    assert (caught.value.values["low"], caught.value.values["high"]) == RANGES[name]


@pytest.mark.parametrize("name", WHOLE)
def test_counts_are_whole_numbers(name: str) -> None:
    with pytest.raises(engine.SettingsError):
        engine.Settings(**{name: 2.0})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", RANGES)
def test_both_ends_are_taken(name: str) -> None:
    for value in RANGES[name]:
        assert getattr(engine.Settings(**{name: value}), name) == value  # type: ignore[arg-type]


@given(st.sampled_from(sorted(RANGES)), st.one_of(st.floats(), st.integers()))
def test_in_range_or_refused(name: str, value: float) -> None:
    low, high = RANGES[name]
    fits = low <= value <= high and (name not in WHOLE or isinstance(value, int))
    try:
        engine.Settings(**{name: value})  # type: ignore[arg-type]
    except engine.SettingsError:
        assert not fits
    else:
        assert fits


def test_the_defaults_change_nothing_and_settings_do_not_change() -> None:
    settings = engine.Settings()
    assert settings == settings.for_greedy()
    assert set(RANGES) == {field.name for field in dataclasses.fields(settings)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.top_k = 3  # type: ignore[misc]
    assert hash(settings) == hash(engine.Settings())


def test_greedy_keeps_the_penalties_alone() -> None:
    settings = engine.Settings(0.5, 5, 0.5, 0.5, 0.5, 2.0, 3)
    assert settings.for_greedy() == engine.Settings(repetition_penalty=2.0, no_repeat_ngram_size=3)
