"""Downloads: bytes done, stopping, continuing what broke off, and content that changes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

import engine
from engine.serving import model_registry
from tests.engine.conftest import Tiny
from tests.hub_server import Hub, files_of

ROOT = Path(__file__).parents[3]
NAME = "somebody/tiny"
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def folder(gpt2: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a file of two megabytes, of which most is a tensor that it does not use."""
    folder = tmp_path_factory.mktemp("large")
    for name, data in files_of(gpt2.folder).items():
        (folder / name).write_bytes(data)
    unused = {"transformer.h.0.attn.bias": torch.zeros(2**19)}
    save_file({**load_file(folder / WEIGHTS), **unused}, folder / WEIGHTS, {"format": "pt"})
    return folder


def parts() -> list[Path]:
    return list(Path(constants.HF_HUB_CACHE).rglob("*.part"))


def code_of(name: str = NAME, **options: object) -> str:
    with pytest.raises(engine.ModelError) as caught:
        engine.load(name, **options)  # type: ignore[arg-type]
    return caught.value.code


def test_the_bytes_that_have_come(hub: Hub, folder: Path) -> None:
    hub.add(NAME, folder)
    told: list[tuple[int, int]] = []
    stages: list[str] = []
    engine.load(NAME, stage=stages.append, progress=lambda done, total: told.append((done, total)))
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert stages == ["files", "download", "tokenizer", "weights", "warm_up"]
    assert {whole for _, whole in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[0] == (0, total) and told[-1] == (total, total) and len(told) > 10
    told.clear()
    stages.clear()
    engine.load(NAME, stage=stages.append, progress=lambda done, total: told.append((done, total)))
    assert stages == ["files", "tokenizer", "weights", "warm_up"] and told == []
    assert parts() == []


def test_a_connection_that_breaks_is_continued(hub: Hub, folder: Path) -> None:
    hub.add(NAME, folder)
    hub.cut, hub.cuts = 2**19, 3
    engine.load(NAME)
    size = (folder / WEIGHTS).stat().st_size
    assert hub.cuts == 0 and hub.gets(WEIGHTS) > 3
    assert hub.sent < sum(path.stat().st_size for path in folder.iterdir()) + 150_000  # the header was read before
    assert size > 2**21


def test_a_connection_that_is_lost_leaves_what_has_come(hub: Hub, folder: Path) -> None:
    hub.add(NAME, folder)
    hub.cut, hub.cuts = 2**20, 1

    def lose(line: str) -> None:
        if hub.cuts == 0 and hub.cut:
            hub.status = 502

    hub.before = lose
    assert code_of() == "interrupted" and hub.gets(WEIGHTS) > 3
    assert [path.stat().st_size for path in parts()] == [2**20]
    hub.cut = hub.status = hub.sent = 0
    told: list[int] = []
    engine.load(NAME, progress=lambda done, _: told.append(done))
    assert hub.sent < (folder / WEIGHTS).stat().st_size - 2**20 + 150_000
    assert parts() == []


@pytest.mark.parametrize("at", [0.0, 0.2])
def test_stopped_at_once_and_continued_later(hub: Hub, folder: Path, at: float) -> None:
    hub.add(NAME, folder)
    hub.pause = 0.05  # seven seconds in all
    stop = threading.Event()
    asked: list[float] = []

    def watch(done: int, total: int) -> None:
        if done >= at * total and not stop.is_set():
            asked.append(time.monotonic())
            stop.set()

    assert code_of(progress=watch, stop=stop) == "stopped"
    assert time.monotonic() - asked[0] < 2
    hub.pause = 0
    assert engine.load(NAME, stop=threading.Event()).revision == "main"


def test_a_hub_that_says_nothing_is_left_at_once(hub: Hub, folder: Path) -> None:
    hub.add(NAME, folder)
    stop, release = threading.Event(), threading.Event()

    def hang(line: str) -> None:
        if line.endswith(WEIGHTS):
            stop.set()
            release.wait(30)

    hub.before = hang
    before = time.monotonic()
    assert code_of(stop=stop) == "stopped"
    assert time.monotonic() - before < 15
    release.set()


def test_content_that_is_not_what_was_announced(hub: Hub, folder: Path) -> None:
    hub.add(NAME, folder)
    hub.spoil = True
    assert code_of() in ("changed", "broken")  # its header is read first
    hub.spoil = False
    engine.load(NAME)


def test_a_part_of_other_content_is_not_continued_for_ever(hub: Hub, folder: Path) -> None:
    hub.add(NAME, folder)
    hub.cut, hub.cuts = 2**20, 10**6
    stop = threading.Event()
    assert code_of(progress=lambda done, _: stop.set() if done > 2**19 else None, stop=stop) == "stopped"
    hub.cuts = 0
    (part,) = parts()
    part.write_bytes(b"x" * 2**19)
    assert code_of() == "changed"
    assert parts() == []
    engine.load(NAME)
    for length in (0, 2**19):
        (part,) = [path.rename(f"{path}.part") for path in part.parent.glob(part.stem)]
        part.write_bytes(part.read_bytes() + b"x" * length)
        for link in Path(constants.HF_HUB_CACHE).rglob(f"snapshots/*/{WEIGHTS}"):
            link.unlink()
        if length:
            assert code_of() == "changed"
        engine.load(NAME)


@pytest.mark.parametrize(
    "etag", [lambda data: hashlib.sha1(data).hexdigest(), lambda data: f"v-{len(data)}-{data[-1]}"]
)
def test_a_mirror_with_other_etags(hub: Hub, folder: Path, etag: Callable[[bytes], str]) -> None:
    hub.add(NAME, folder)
    hub.etag = etag
    assert engine.load(NAME).revision == "main"


@pytest.mark.parametrize("etag", ["", "../../escaped", "a/b", "." * 3, "x" * 300])
def test_an_etag_that_cannot_name_a_file(hub: Hub, folder: Path, etag: str, tmp_path: Path) -> None:
    hub.add(NAME, folder)
    hub.etag = lambda _: etag
    assert code_of() == "changed"
    assert not list(tmp_path.rglob("*escaped*"))


def test_a_commit_that_vanishes_during_the_download(hub: Hub, folder: Path) -> None:
    repository = hub.add(NAME, folder)

    def vanish(line: str) -> None:
        if line.startswith("HEAD") and line.endswith(WEIGHTS):
            repository.commits.clear()
            repository.history.clear()

    hub.before = vanish
    assert code_of() == "changed"


def test_a_branch_that_moves_during_the_download(hub: Hub, folder: Path) -> None:
    """All files are of the commit that was there at the beginning."""
    repository = hub.add(NAME, folder)
    first = repository.resolve("main")

    def move(line: str) -> None:
        if line.startswith("HEAD") and line.endswith(WEIGHTS):
            repository.commit({"config.json": b"{}"})

    hub.before = move
    assert engine.load(NAME).origin.commit == first


@pytest.mark.slow
def test_a_process_that_is_killed_and_another_that_continues(hub: Hub, folder: Path, tmp_path: Path) -> None:
    """With the environment variables of huggingface_hub, by the command line."""
    hub.add(NAME, folder).commit(files_of(folder), "step1000")
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    for name in ("HF_HUB_CACHE", "HF_ASSETS_CACHE", "TRANSFORMERS_OFFLINE"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "engine", "the cat", "--model", f"{NAME}@step1000", "--steps", "1"]
    hub.pause = 0.05
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as killed:
        deadline = time.monotonic() + 60
        while sum(part.stat().st_size for part in parts()) < 2**19:
            assert killed.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        killed.kill()
    hub.pause, hub.sent = 0, 0
    there = sum(part.stat().st_size for part in parts())
    assert engine.load(f"{NAME}@step1000").revision == "step1000"  # the same cache
    assert hub.sent < (folder / WEIGHTS).stat().st_size - there + 250_000


def test_the_registry_tells_bytes_and_stops(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_registry, "_models", {})
    monkeypatch.setenv("ENGINE_MODELS", "somebody/*")
    hub.add(NAME, folder)
    hub.pause = 0.05
    loading = model_registry.request(NAME)
    while loading.bytes[0] < 2**18:
        assert loading.bytes[0] <= loading.bytes[1] and not loading.wait(0.01)
    assert loading.stage == "download"
    loading.stop()
    assert loading.wait(2)
    with pytest.raises(engine.ModelError) as caught:
        loading.result()
    assert caught.value.code == "stopped"
    hub.pause = 0
    again = model_registry.request(NAME)
    model = again.result()
    assert again.bytes[0] == again.bytes[1] > 2**21
    model.distribution(model.encode("cat"))
    (use,) = model_registry.memory_use()
    parameters = sum(p.nbytes for p in model.prefix_cache.forward.model.parameters())
    assert use.name == NAME and parameters <= use.weights < parameters + 100_000
    assert use.cache == model.prefix_cache.nbytes > 0
    assert model_registry.unload(NAME) and not model_registry.unload(NAME)
    assert model_registry.memory_use() == []
    assert not model_registry.unload("bundled")
