"""A model with NaN weights: every page shows an error message, and the prompt is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from streamlit.testing.v1 import AppTest

from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from tests import tiny
from tests.pages.visit import state_of, visit

PAGES = ("step", "beam", "compare", "attention")


def spoilt(folder: Path, position: int) -> Path:
    """A tiny GPT-2 whose outputs are NaN from a position on."""
    tiny.build("gpt2", folder)
    weights = load_file(folder / "model.safetensors")
    weights["transformer.wpe.weight"][position] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def opened(folder: Path, page: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("ENGINE_MODELS", str(folder))
    session = TextState(prompt="the cat sat on the mat", model_name=str(folder))
    return visit(page, "en", session=session)


@pytest.mark.parametrize("page", PAGES)
def test_numbers_that_are_not_finite(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(spoilt(tmp_path / "gpt2", 5), page, monkeypatch)
    assert not app.exception
    assert Translator("en")("error.not_finite") in [error.value for error in app.error]
    assert state_of(app, TextState).prompt == "the cat sat on the mat"


@pytest.mark.parametrize("page", PAGES)
def test_a_model_that_cannot_be_had_is_told_of(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(spoilt(tmp_path / "gpt2", 0), page, monkeypatch)
    assert not app.exception
    assert Translator("en")("error.broken") in [error.value for error in app.error]
    assert state_of(app, TextState).model_name == "bundled"
