"""Fingerprint: distinguishes models of the same name by their vocabulary and their weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

import engine
from engine.errors import TraceError
from engine.model.loading import load
from engine.sampling.settings import Settings
from engine.trace.trace import Trace
from tests import tiny
from tests.engine.conftest import Tiny


def copy(tiny_model: Tiny, to: Path) -> Path:
    shutil.copytree(tiny_model.folder, to / "copy")
    return to / "copy"


def trained_on(folder: Path) -> Path:
    """The model with every weight slightly changed, as after one more training step."""
    file = folder / "model.safetensors"
    weights = {name: tensor * 1.001 for name, tensor in load_file(file).items()}
    save_file(weights, file, metadata={"format": "pt"})
    return folder


def test_the_same_files_give_the_same(gpt2: Tiny, tmp_path: Path) -> None:
    assert load(copy(gpt2, tmp_path), from_hub=False).fingerprint == gpt2.model.fingerprint
    assert len(gpt2.model.fingerprint) == 8


def test_other_weights_change_the_second_half_alone(gpt2: Tiny, tmp_path: Path) -> None:
    other = load(trained_on(copy(gpt2, tmp_path)), from_hub=False).fingerprint
    assert other[:4] == gpt2.model.fingerprint[:4]
    assert other[4:] != gpt2.model.fingerprint[4:]


def test_another_tokenizer_changes_the_first_half(gpt2: Tiny, tmp_path: Path) -> None:
    folder = copy(gpt2, tmp_path)
    tokenizer = tiny.byte_level()
    tokenizer.add_tokens(["天氣"])
    tokenizer.save(str(folder / "tokenizer.json"))
    other = load(folder, from_hub=False)
    original = gpt2.model
    assert other.fingerprint[:4] != original.fingerprint[:4]
    trace = Trace.start("one name", original.encode("the cat"), Settings(), fingerprint=original.fingerprint)
    assert trace.fits(original) is trace
    with pytest.raises(TraceError) as caught:
        trace.fits(other)
    assert caught.value.code == "trace_vocabulary"


def test_a_trace_that_says_nothing_of_its_model_is_tried(gpt2: Tiny) -> None:
    trace = Trace.start("one name", gpt2.model.encode("the cat"), Settings())
    assert trace.fits(gpt2.model) is trace


def test_the_bundled_model_has_one() -> None:
    assert engine.load().fingerprint == engine.load().fingerprint != ""
