"""Fixtures of the page tests: a tiny model, built once, and admission control without visitors."""

from __future__ import annotations

import pytest

from engine.model.loading import load
from engine.model.model import Model
from engine.serving import admission
from tests import tiny


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(tiny.build("gpt2", tmp_path_factory.mktemp("pages") / "gpt2"))


@pytest.fixture(autouse=True)
def nobody_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests run pages as the same visitor; this resets the steps charged to it."""
    monkeypatch.setattr(admission, "_visitors", {})
