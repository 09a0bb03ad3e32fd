"""Comparison of model families with `transformers`: each day other ones, all in 16 days; `make test-families` all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.families.comparison import check
from tests.families.configs import EXCEPTIONS, families

A_DAY = 12


def test_most_families_are_compared() -> None:
    assert set(families()) >= set(EXCEPTIONS)
    assert len(families()) - len(EXCEPTIONS) >= 170


@pytest.mark.slow
@pytest.mark.parametrize("number", range(A_DAY))
def test_a_family_equals_its_reference(number: int, tmp_path: Path) -> None:
    names = families()
    family = names[(date.today().toordinal() * A_DAY + number) % len(names)]
    line, fault = check(family, tmp_path)
    assert not fault, f"{family}: {line}: {fault}"


def test_a_family_that_attends_to_later_tokens_is_refused(tmp_path: Path) -> None:
    """CPM-Ant masks token 0 and attends to all others."""
    assert check("cpmant", tmp_path) == ("refused as not_causal", "")
