"""Model registry: one shared load a model, eviction, allowed names, prefetching."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import engine
from engine.serving import model_registry
from tests.engine.conftest import Tiny

TIMEOUT = 60.0  # seconds


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_registry, "_models", {})
    monkeypatch.setenv("ENGINE_MODELS", "/*")


def test_two_first_visitors_load_it_once(gpt2: Tiny) -> None:
    barrier = threading.Barrier(8)

    def visit(_: int) -> model_registry.ModelLoad:
        barrier.wait()
        return model_registry.request(str(gpt2.folder))

    with ThreadPoolExecutor(8) as pool:
        loadings = list(pool.map(visit, range(8)))
    assert all(loading is loadings[0] for loading in loadings)
    assert loadings[0].wait(TIMEOUT) and loadings[0].done
    assert loadings[0].stage == "warm_up"
    model = loadings[0].result()
    assert model_registry.request(str(gpt2.folder)).result() is model
    assert model.records(model.encode("cat"))


def test_a_failed_load_is_forgotten(gpt2: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    failed = model_registry.request(str(folder))
    assert failed.wait(TIMEOUT)
    for _ in range(2):
        with pytest.raises(engine.ModelError) as caught:
            failed.result()
        assert caught.value.code == "missing"
    shutil.copytree(gpt2.folder, folder)
    again = model_registry.request(str(folder))
    assert again is not failed and again.wait(TIMEOUT)
    assert again.result().encode("cat")


def test_waiting_does_not_wait_longer_than_it_is_told() -> None:
    loading = model_registry.ModelLoad()
    assert loading.wait(0.0) is False and not loading.done


def test_no_more_models_than_there_is_room_for(build: Callable[[str], Tiny]) -> None:
    names = [str(build(family).folder) for family in ("gpt2", "llama", "qwen2", "mistral")]
    first = model_registry.request(names[0])
    for name in names:
        assert model_registry.request(name).wait(TIMEOUT)
    model_registry.request(names[-1])
    assert len(model_registry._models) <= model_registry.MAX_LOADED_MODELS + 1
    assert names[-1] in model_registry._models and names[0] not in model_registry._models
    assert first.result().encode("cat")  # a dropped model remains usable


@pytest.mark.parametrize(
    ("patterns", "name", "allowed"),
    [
        ("", "gpt2", False),
        ("", "bundled", True),
        (" , ", "gpt2", False),
        ("gpt2", "gpt2", True),
        ("gpt2", "gpt2-large", False),
        ("gpt2", "GPT2", False),
        ("uer/*, /models/*", "uer/gpt2-chinese", True),
        ("uer/*, /models/*", "/models/mine", True),
        ("uer/*, /models/*", "/home/somebody", False),
        ("/models/*", "/models/../home/somebody", False),
        ("/models/*", "/models/a/..", False),
        ("*", "anybody/anything", True),
        ("*", "../..", False),
        ("*", "a/../../etc", False),
        ("/models/*", "/models//../etc", False),
        ("/models/*", "/models/．．/etc", False),
        ("/models/*", "/models/a\0b", False),
        ("/models/*", "/models/a\n", False),
        ("/models/*", "/models/a\u200b", False),
        ("/models/*", "/models/a\ud800", False),
        ("/models/*", "／models/a", False),
        ("uer/*", "uer/gpt２", False),
        ("/models/*", "/models/語言模型", True),
        ("/models/*", "models/a", False),
        ("uer/*", "uer/gpt2-chinese@refs/pr/7", True),
        ("uer/gpt2-chinese", "uer/gpt2-chinese@step1000", True),
        ("uer/gpt2", "uer/gpt2-chinese@gpt2", False),
        ("uer/*@refs/pr/*", "uer/gpt2-chinese@refs/pr/7", True),
        ("uer/*@refs/pr/*", "uer/gpt2-chinese@main", False),
        ("uer/*@refs/pr/*", "uer/gpt2-chinese", False),
        ("uer/gpt2@main", "uer/gpt2@main", True),
        ("*", "uer/gpt2@main", True),
        ("main", "uer/gpt2@main", False),
        ("*main", "uer/gpt2@main", False),
        ("/models/a", "/models/a@b", False),  # another folder
        ("/models/*", "/models/a@b", True),
        ("gpt2", "gpt2@../../etc", False),
        ("uer/*", "uer/gpt2/a.gguf@main", True),
        ("uer/gpt2", "uer/gpt2/a.gguf", True),
        ("uer/gpt2/a.gguf", "uer/gpt2/a.gguf", True),
        ("uer/gpt2/a.gguf", "uer/gpt2/b.gguf", False),
        ("uer/gpt2/a.gguf", "uer/gpt2", False),
        ("/models/*", "/models/" + "a" * 5000, True),
    ],
)
def test_what_the_host_allows(monkeypatch: pytest.MonkeyPatch, patterns: str, name: str, allowed: bool) -> None:
    monkeypatch.setenv("ENGINE_MODELS", patterns)
    assert model_registry.allowed(name) is allowed


def test_a_link_leads_nobody_out_of_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gpt2: Tiny) -> None:
    models, elsewhere = tmp_path / "models", tmp_path / "elsewhere"
    for folder in (models / "inside", elsewhere / "secret"):
        folder.mkdir(parents=True)
    (models / "out").symlink_to(elsewhere)
    (models / "within").symlink_to(models / "inside")
    (tmp_path / "by link").symlink_to(models)
    monkeypatch.setenv("ENGINE_MODELS", f"{models}/*, {tmp_path}/by link/*")
    assert model_registry.allowed(f"{models}/inside") and model_registry.allowed(f"{models}/within")
    assert model_registry.allowed(f"{tmp_path}/by link/inside")  # the folder of the pattern may itself be a link
    assert not model_registry.allowed(f"{models}/out") and not model_registry.allowed(f"{models}/out/secret")
    monkeypatch.setenv("ENGINE_MODELS", f"{models}/out")
    assert model_registry.allowed(f"{models}/out")  # an exact name may be a link


def test_a_folder_with_an_at_sign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gpt2: Tiny) -> None:
    """It is a folder, not a revision of what stands before the sign."""
    folder = Path(shutil.copytree(gpt2.folder, tmp_path / "tiny@main"))
    model = engine.load(folder)
    assert (model.name, model.revision) == (str(folder), "")
    monkeypatch.chdir(tmp_path)
    assert engine.load("tiny@main").fingerprint == model.fingerprint
    monkeypatch.setenv("ENGINE_MODELS", "tiny")
    assert not model_registry.allowed("tiny@main") and model_registry.allowed("tiny@other")
    monkeypatch.setenv("ENGINE_MODELS", "tiny@main")
    assert model_registry.allowed("tiny@main")


def test_a_load_that_broke_half_way_can_be_tried_again(gpt2: Tiny, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(gpt2.folder, tmp_path / "model"))
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    failed = model_registry.request(str(folder))
    assert failed.wait(TIMEOUT) and failed.stage == "weights"
    with pytest.raises(engine.ModelError) as caught:
        failed.result()
    assert caught.value.code == "broken"
    weights.write_bytes(whole)
    assert model_registry.request(str(folder)).result().encode("cat")


def test_without_a_word_of_the_host_only_the_bundled_one(monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    monkeypatch.delenv("ENGINE_MODELS")
    with pytest.raises(engine.ModelError) as caught:
        model_registry.request(str(gpt2.folder))
    assert caught.value.code == "not_allowed" and model_registry._models == {}


def test_a_prepared_text_costs_no_pass_when_it_is_asked_for(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    ids = (5, 6, 7)
    model_registry.prefetch(model, ids, after=0)
    with model_registry._prefetching:  # released once the text is computed
        passes = model.prefix_cache.counters.passes
    assert passes == 1
    model.records(ids)
    assert model.prefix_cache.counters.passes == passes
    model_registry.prefetch(model, None, after=0.0)
    assert model_registry._prefetching.acquire(timeout=TIMEOUT)
    model_registry._prefetching.release()


def test_the_tree_is_as_large_as_the_host_says(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_TREE_MB", "3")
    assert model_registry.request(str(gpt2.folder)).result().prefix_cache._max_bytes == 3 * 2**20


def test_what_was_prepared_costs_nothing_when_it_is_asked_for(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    model_registry.prefetch(model, (5, 6, 7), after=0.0)
    model_registry.prefetch(model, None, after=0.0)
    with model_registry._prefetching:  # waits for the prefetch in progress
        assert model.prefix_cache.counters.passes == 1
    model.records((5, 6, 7))
    assert model.prefix_cache.counters.passes == 1


def test_one_text_is_prepared_at_a_time(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    with model_registry._prefetching:
        model_registry.prefetch(model, (5, 6, 7), after=0.0)
    with model_registry._prefetching:
        assert model.prefix_cache.counters.passes == 0


def test_a_text_that_cannot_be_prepared_holds_nobody_up(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    model = gpt2.fresh()
    model_registry.prefetch(model, (10**9,), after=0.0)
    with model_registry._prefetching:
        pass
    model_registry.prefetch(model, (5,), after=0.0)
    with model_registry._prefetching:
        assert model.prefix_cache.counters.passes == 1
