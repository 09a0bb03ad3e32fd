"""Models of one name told apart: by what their ids stand for, by their weights."""

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


def copy(one: Tiny, to: Path) -> Path:
    shutil.copytree(one.folder, to / "copy")
    return to / "copy"


def trained_on(folder: Path) -> Path:
    """The same model a training step later: every weight a little different."""
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
    mine = gpt2.model
    assert other.fingerprint[:4] != mine.fingerprint[:4]
    trace = Trace.start("one name", mine.encode("the cat"), Settings(), fingerprint=mine.fingerprint)
    assert trace.fits(mine) is trace
    with pytest.raises(TraceError) as found:
        trace.fits(other)
    assert found.value.code == "trace_vocabulary"


def test_a_trace_that_says_nothing_of_its_model_is_tried(gpt2: Tiny) -> None:
    trace = Trace.start("one name", gpt2.model.encode("the cat"), Settings())
    assert trace.fits(gpt2.model) is trace


def test_the_bundled_model_has_one() -> None:
    assert engine.load().fingerprint == engine.load().fingerprint != ""
