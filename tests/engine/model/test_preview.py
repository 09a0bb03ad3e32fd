"""Previews: the sizes that loading then has, and the errors that it would raise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants

import engine
from engine.model.preview import preview
from engine.serving import model_registry
from tests import gguf_files
from tests.engine.conftest import Tiny
from tests.hub_server import Hub

NAME = "somebody/tiny"


def test_a_model_of_the_hub(hub: Hub, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add(NAME, gpt2.folder)
    total = sum(path.stat().st_size for path in gpt2.folder.iterdir())
    weights = sum(p.nbytes for p in gpt2.reference.parameters())
    before = preview(NAME)
    assert hub.gets("config.json") == 0 and not Path(constants.HF_HUB_CACHE).exists()
    assert (before.total_bytes, before.download_bytes, before.weight_bytes) == (total, total, weights)
    assert before.fits and before.origin.revision == "main"
    assert preview(NAME, 2).weight_bytes == weights // 2
    model = engine.load(NAME)
    assert model.origin == before.origin
    after = before._replace(download_bytes=0)
    assert preview(NAME)[:4] == after[:4]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert preview(NAME)[:4] == after[:4]
    assert not after._replace(free_memory=weights).fits and after._replace(free_memory=None).fits
    assert after._replace(free_disk=0).fits and not before._replace(free_disk=total).fits


def test_folders_and_files(gpt2: Tiny, tmp_path: Path, hub: Hub) -> None:
    del hub  # nothing is asked for
    there = preview(str(gpt2.folder))
    assert there.download_bytes == 0 and there.weight_bytes == sum(p.nbytes for p in gpt2.reference.parameters())
    assert preview("bundled").weight_bytes > 2**24
    empty = tmp_path / "empty"
    empty.mkdir()
    assert preview(str(empty)).total_bytes == 0


def test_a_gguf_file(build: Callable[[str], Tiny], tmp_path: Path) -> None:
    file = gguf_files.write(build("qwen2").folder, tmp_path / "tiny.gguf")
    size = file.stat().st_size
    for name in (file, tmp_path):
        assert preview(str(name))[1:4] == (size, 0, 2 * size)


@pytest.mark.parametrize(
    ("name", "code"), [("a/unknown", "missing"), (f"{NAME}@no", "no_revision"), ("a b", "missing")]
)
def test_what_cannot_be_loaded(hub: Hub, gpt2: Tiny, name: str, code: str) -> None:
    hub.add(NAME, gpt2.folder)
    with pytest.raises(engine.ModelError) as caught:
        preview(name)
    assert caught.value.code == code


def test_only_what_the_host_allows(hub: Hub, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add(NAME, gpt2.folder)
    monkeypatch.setenv("ENGINE_MODELS", "somebody/*")
    monkeypatch.setenv("ENGINE_DTYPE", "bfloat16")
    weights = sum(p.nbytes for p in gpt2.reference.parameters())
    assert model_registry.preview(NAME).weight_bytes == weights // 2
    hub.requests.clear()
    with pytest.raises(engine.ModelError) as caught:
        model_registry.preview("else/tiny")
    assert caught.value.code == "not_allowed" and hub.requests == []
