"""Turns of exhaustive tests: every case is taken, whatever the day that one begins with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import turns


@given(count=st.integers(0, 40), parts=st.integers(1, 12), day=st.integers(700_000, 800_000))
def test_every_case_has_its_turn(count: int, parts: int, day: int) -> None:
    cases = list(range(count))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "ALL", False)
        taken = [case for later in range(parts) for case in turns.todays(cases, parts, day + later)]
        assert sorted(taken) == cases
        patch.setattr(turns, "ALL", True)
        assert turns.todays(cases, parts, day) == cases
