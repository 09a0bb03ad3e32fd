"""A tiny model for the pages' tests, built once."""

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
    """Tests drive pages as one and the same visitor: none pays for the steps of the one before."""
    monkeypatch.setattr(admission, "_visitors", {})
