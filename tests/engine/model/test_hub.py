"""Models of the hub: revisions, the converter's pull request, errors, and what is refused before its weights come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from transformers import BartConfig, BertConfig

import engine
from engine.model import memory
from engine.model.hub_conversion import AUTHOR, TITLE
from tests.engine.conftest import Tiny
from tests.hub_server import Hub, Pull, Repository, files_of

NAME = "somebody/tiny-gpt2"
WEIGHTS = "model.safetensors"


def refusal(name: str, **options: Any) -> engine.ModelError:
    with pytest.raises(engine.ModelError) as caught:
        engine.load(name, **options)
    assert caught.value.values["name"] == name
    return caught.value


def assert_equal(model: engine.Model, tiny: Tiny) -> None:
    """The model computes what `transformers` computes of the folder that was served."""
    ids = tiny.prefixes(1)[0]
    np.testing.assert_allclose(
        model.distribution(ids).raw, torch.softmax(tiny.forward(ids).logits[0, -1], -1).numpy(), atol=1e-5
    )


def test_a_model_with_its_revision(hub: Hub, gpt2: Tiny, build: Any) -> None:
    repository = hub.add(NAME, gpt2.folder)
    step = repository.commit(files_of(build("llama").folder), "step1000")
    model = engine.load(NAME)
    assert (model.name, model.revision, model.origin.commit) == (NAME, "main", repository.resolve("main"))
    assert not model.origin.converted
    assert_equal(model, gpt2)
    for name, revision in ((f"{NAME}@step1000", "step1000"), (f"{NAME}@{step}", step)):
        other = engine.load(name)
        assert (other.name, other.revision, other.origin.commit) == (name, revision, step)
        assert_equal(other, build("llama"))
    assert other.fingerprint != model.fingerprint


def test_only_what_a_model_is_loaded_from_is_fetched(hub: Hub, gpt2: Tiny) -> None:
    useless = {"pytorch_model.bin": b"x" * 99, "onnx/model.safetensors": b"y", "README.md": b"z"}
    repository = hub.add(NAME, gpt2.folder)
    weights = repository.commits[str(repository.resolve("main"))][WEIGHTS]
    repository.commit({**files_of(gpt2.folder), **useless, "consolidated.safetensors": weights})
    engine.load(NAME)
    fetched = {line.split("/")[-1] for line in hub.requests if line.startswith("GET") and "resolve" in line}
    assert fetched == {path.name for path in gpt2.folder.iterdir()}
    assert hub.gets(WEIGHTS) == 2  # once for its header


def test_what_is_in_the_cache_needs_no_hub(hub: Hub, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add(NAME, gpt2.folder)
    engine.load(NAME)
    sent = hub.sent
    assert_equal(engine.load(NAME), gpt2)
    assert hub.sent == sent
    for status in (500, 503, 429):
        hub.status = status
        assert engine.load(NAME).revision == "main"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.requests.clear()
    model = engine.load(NAME)
    assert (model.revision, len(model.origin.commit)) == ("main", 40)
    assert engine.load(NAME, from_hub=False).revision == "main"
    assert hub.requests == []
    assert refusal("somebody/else").code == "offline"
    assert refusal("somebody/else", from_hub=False).code == "missing"
    assert refusal(f"{NAME}@step1000").code == "offline"


def test_no_hub_at_all(hub: Hub, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert refusal(NAME).code == "no_network"
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    hub.add(NAME, gpt2.folder)
    hub.status = 500
    assert refusal(NAME).code == "no_network"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("somebody/unknown", "missing"),
        ("unknown", "missing"),
        ("a//b", "missing"),
        ("somebody/../etc", "missing"),
        ("@main", "missing"),
        (f"{NAME}@", "no_revision"),
        (f"{NAME}@no-such", "no_revision"),
        (f"{NAME}@../main", "no_revision"),
        (f"{NAME}@-main", "no_revision"),
        (f"{NAME}@a b", "no_revision"),
        (f"{NAME}@refs/pr/7", "no_revision"),
        (f"{NAME}@{'0' * 40}", "no_revision"),
    ],
)
def test_what_is_not_there(hub: Hub, gpt2: Tiny, name: str, code: str) -> None:
    hub.add(NAME, gpt2.folder)
    error = refusal(name)
    assert error.code == code
    assert code == "missing" or (error.values["id"] == NAME and f"@{error.values['revision']}" in name)


def test_a_gated_repository(hub: Hub, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add(NAME, gpt2.folder).gated = True
    error = refusal(NAME)
    assert (error.code, error.values["id"]) == ("gated", NAME)
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
    assert_equal(engine.load(NAME), gpt2)


def test_large_files_on_another_host(hub: Hub, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is not given the token."""
    hub.add(NAME, gpt2.folder).gated = True
    hub.elsewhere = True
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
    assert_equal(engine.load(NAME), gpt2)
    assert hub.tokens == {("127.0.0.1", "Bearer hf_of_a_test"), ("localhost", "")}


def test_repositories_without_a_model(hub: Hub, gpt2: Tiny) -> None:
    hub.add("somebody/data", files={"README.md": b"x", "data.json": b"{}"})
    assert refusal("somebody/data").code == "missing"
    hub.add("somebody/pickle", files={"config.json": b"{}", "pytorch_model.bin": b"x"})
    assert refusal("somebody/pickle").code == "no_safetensors"
    assert hub.gets("data.json") == hub.gets("pytorch_model.bin") == 0


def test_weights_in_several_files(hub: Hub, gpt2: Tiny, tmp_path: Path) -> None:
    gpt2.reference.save_pretrained(tmp_path, max_shard_size="30KB")
    shards = files_of(tmp_path)
    assert sum(name.endswith(".safetensors") for name in shards) > 2
    whole = files_of(gpt2.folder)
    del whole[WEIGHTS]
    hub.add(NAME, files={**whole, **shards, "consolidated.safetensors": b"x"})
    assert_equal(engine.load(NAME), gpt2)
    assert hub.gets("consolidated.safetensors") == 0


def converted(hub: Hub, gpt2: Tiny, **changes: Any) -> tuple[Repository, Pull]:
    """A repository without safetensors, and the converter's pull request 3 with them."""
    files = files_of(gpt2.folder)
    repository = hub.add(NAME)
    old = {**{k: v for k, v in files.items() if k != WEIGHTS}, "pytorch_model.bin": b"never opened"}
    repository.commit(old)
    repository.commit({**old, WEIGHTS: files[WEIGHTS]}, "refs/pr/3", repository.history["main"])
    pull = Pull(3, TITLE, AUTHOR)
    repository.pulls += [Pull(1, "Hello", "anybody", is_pull_request=False), Pull(2, TITLE, "anybody"), pull]
    return repository, pull


def test_safetensors_of_the_hubs_converter(hub: Hub, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    repository, _ = converted(hub, gpt2)
    model = engine.load(NAME)
    assert (model.revision, model.origin.converted) == ("refs/pr/3", True)
    assert model.origin.commit == repository.resolve("refs/pr/3")
    assert_equal(model, gpt2)
    assert hub.gets("pytorch_model.bin") == 0
    assert engine.load(f"{NAME}@refs/pr/3").origin.converted is False  # chosen by hand: not checked
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert engine.load(NAME).origin == model.origin


@pytest.mark.parametrize(
    "change", [{"title": "Safetensors"}, {"author": "SFConvertBot"}, {"status": "closed"}, {"is_pull_request": False}]
)
def test_safetensors_of_anybody_else(hub: Hub, gpt2: Tiny, change: dict[str, Any]) -> None:
    _, pull = converted(hub, gpt2)
    for name, value in change.items():
        setattr(pull, name, value)
    assert refusal(NAME).code == "no_safetensors"


def test_a_conversion_of_older_weights(hub: Hub, gpt2: Tiny) -> None:
    repository, _ = converted(hub, gpt2)
    repository.commit({**repository.commits[str(repository.resolve("main"))], "README.md": b"new"})
    assert refusal(NAME).code == "no_safetensors"


def test_a_conversion_with_a_second_commit(hub: Hub, gpt2: Tiny) -> None:
    repository, _ = converted(hub, gpt2)
    repository.commit(repository.commits[str(repository.resolve("refs/pr/3"))], "refs/pr/3")
    assert refusal(NAME).code == "no_safetensors"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (BartConfig(architectures=["BartForConditionalGeneration"]).to_dict(), "encoder_decoder"),
        (BertConfig(architectures=["BertForMaskedLM"]).to_dict(), "masked"),
        ({"model_type": "distilbert"}, "masked"),
        ({"model_type": "nothing-known"}, "not_causal"),
        ({"model_type": ["gpt2"]}, "not_causal"),
        ({}, "not_causal"),
        ([], "broken"),
        ({"model_type": "gpt2", "n_layer": "many"}, "broken"),
        ({"model_type": "gpt2", "architectures": 3, "vocab_size": 10**12}, "too_large_memory"),
        ({"model_type": "gpt2", "n_layer": 10**9}, "broken"),
        ({"model_type": "llama", "num_hidden_layers": 10**9}, "broken"),
        ({"model_type": "mixtral", "num_local_experts": 10**9}, "broken"),
        ({"model_type": "gpt_neo", "attention_types": [[["global"], 10**9]]}, "broken"),
        ({"model_type": "gpt2", "vocab_size": 10**12}, "too_large_memory"),
        ({"model_type": "gpt2", "n_embd": 768 * 10**4, "n_head": 12}, "too_large_memory"),
        ({"model_type": "gpt2", "n_positions": 10**12}, "too_large_memory"),
    ],
)
def test_what_is_refused_before_its_weights_come(hub: Hub, gpt2: Tiny, config: Any, code: str) -> None:
    repository = hub.add(NAME, gpt2.folder)
    repository.commit({**files_of(gpt2.folder), "config.json": json.dumps(config).encode()})
    assert refusal(NAME).code == code
    assert hub.gets(WEIGHTS) == 0


def test_a_config_that_claims_more_layers_than_there_are_tensors(gpt2: Tiny, tmp_path: Path) -> None:
    for name, data in files_of(gpt2.folder).items():
        (tmp_path / name).write_bytes(data)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, "n_layer": 9000}), "utf-8")
    assert refusal(str(tmp_path)).code == "broken"


def test_too_large_for_the_memory_or_the_disk(hub: Hub, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add(NAME, gpt2.folder)
    size = (gpt2.folder / WEIGHTS).stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(memory, "available_bytes", lambda: memory.RESERVE + size // 2)
        error = refusal(NAME)
        assert error.code == "too_large_memory" and {"needs", "free"} <= set(error.values)
        assert refusal(str(gpt2.folder)).code == "too_large_memory"
    free = memory.shutil.disk_usage(".")._replace(free=memory.RESERVE + size // 2)
    with monkeypatch.context() as patch:
        patch.setattr(memory.shutil, "disk_usage", lambda _: free)
        assert refusal(NAME).code == "too_large_disk"
    assert hub.gets(WEIGHTS) == 0
    assert_equal(engine.load(NAME), gpt2)


def test_weights_that_are_no_safetensors(hub: Hub, gpt2: Tiny) -> None:
    hub.add(NAME, gpt2.folder, {WEIGHTS: b"\x80\x02}" + b"x" * 99_999})
    assert refusal(NAME).code == "broken"
