"""GGUF files: equal to `transformers`, converted once, and everything else refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, Lfm2Config

import engine
from engine.model import gguf_conversion, memory
from engine.model.monitor import Monitor
from tests import gguf_files, tiny
from tests.engine.conftest import Tiny
from tests.hub_server import Hub

TEXTS = ["今天天氣真好", "the cat sat on the mat, 123", "  two  spaces\n\n"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of converted files, of each test alone."""
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "assets"))
    return tmp_path / "assets" / "next-token" / "gguf"


@pytest.fixture(scope="session")
def qwen2(build: Callable[[str], Tiny]) -> Tiny:
    return build("qwen2")


@pytest.fixture(scope="session")
def lfm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny LFM2, which `transformers` reads by another loader."""
    tokenizer = tiny.byte_level()
    config = Lfm2Config(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=64, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=tiny.CONTEXT, full_attn_idxs=[1],
        block_auto_adjust_ff_dim=False, initializer_range=0.25, **tiny.NO_IDS,
    )  # fmt: skip
    return tiny.save(tmp_path_factory.mktemp("lfm2"), tokenizer, config, tiny.END)


KINDS = ["F32", "F16", "Q8_0", "Q4_1"]


@pytest.fixture(scope="module", params=[("qwen2", kind) for kind in KINDS] + [("lfm2", "F32"), ("lfm2", "Q8_0")])
def file(request: pytest.FixtureRequest, qwen2: Tiny, lfm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    family, kind = request.param
    path = tmp_path_factory.mktemp("gguf") / f"tiny-{kind}.gguf"
    return gguf_files.write(lfm2 if family == "lfm2" else qwen2.folder, path, kind)


@pytest.fixture
def plain(qwen2: Tiny, tmp_path: Path) -> Path:
    return gguf_files.write(qwen2.folder, tmp_path / "tiny.gguf")


def refusal(name: Path, **options: Any) -> engine.ModelError:
    with pytest.raises(engine.ModelError) as caught:
        engine.load(name, **options)
    assert caught.value.values["name"] == str(name)
    return caught.value


def folders(cache: Path) -> list[Path]:
    """Folders of converted files, and those that are being made by a conversion that was left behind a moment ago."""
    deadline = time.monotonic() + 5
    while list(cache.glob(".unfinished*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [path for path in cache.iterdir() if path.is_dir()] if cache.is_dir() else []


def test_it_computes_what_transformers_computes(file: Path) -> None:
    options: dict[str, Any] = {"dtype": torch.float32, "quantization_config": GgufConfig(dequantize=True)}
    reference = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, **options).eval()
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    stages: list[str] = []
    for name in (file, file.parent):
        model = engine.load(name, stage=stages.append)
        assert model.name == str(name) and model.revision == ""
        assert (model.origin.quantization, model.origin.pre_tokenizer) == (file.stem.removeprefix("tiny-"), "")
        assert model.context_length == tiny.CONTEXT
        assert model.pieces(sorted(model.end_ids)) == ["⟨endoftext⟩"]
        for text in TEXTS:
            ids = model.encode(text)
            assert list(ids) == tokenizer(text)["input_ids"]
            with torch.inference_mode():
                logits = reference(input_ids=torch.tensor([ids])).logits[0, -1]
            np.testing.assert_allclose(model.distribution(ids).raw, torch.softmax(logits, -1).numpy(), atol=1e-5)
    assert stages == ["files", "convert", "tokenizer", "weights", "warm_up"] * 2


def test_the_other_loader_gives_the_numbers_of_the_safetensors_too(lfm2: Path, tmp_path: Path) -> None:
    model, original = engine.load(gguf_files.write(lfm2, tmp_path / "tiny.gguf")), engine.load(lfm2)
    ids = original.encode(TEXTS[1])
    assert model.encode(TEXTS[1]) == ids and model.fingerprint[4:] == original.fingerprint[4:]
    np.testing.assert_allclose(model.distribution(ids).raw, original.distribution(ids).raw, atol=1e-6)


def test_numbers_without_loss_are_those_of_the_safetensors(plain: Path, qwen2: Tiny, cache: Path) -> None:
    """Beside the reference that reads the same file, one that does not."""
    model = engine.load(plain)
    for ids in qwen2.prefixes(3):
        expected = torch.softmax(qwen2.forward(ids).logits[0, -1], -1).numpy()
        np.testing.assert_allclose(model.distribution(ids).raw, expected, atol=1e-5)
    (folder,) = folders(cache)
    stored, original = load_file(folder / "model.safetensors"), load_file(qwen2.folder / "model.safetensors")
    assert stored.keys() == original.keys()
    assert all(torch.equal(stored[key], original[key]) for key in original)
    assert "quantization_config" not in (folder / "config.json").read_text("utf-8")


def test_it_is_converted_once(plain: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = engine.load(plain)
    monkeypatch.setattr(gguf_conversion, "_fill", None)  # would fail
    moved = plain.rename(plain.with_name("moved.gguf"))
    assert engine.load(moved).fingerprint == first.fingerprint
    assert len(folders(cache)) == 1


def test_another_rule_for_splitting_is_told(qwen2: Tiny, tmp_path: Path) -> None:
    for rule, told in (("smollm", "smollm"), ("gpt-2", ""), ("llama-bpe", "")):
        file = gguf_files.write(qwen2.folder, tmp_path / f"{rule}.gguf", rule=rule)
        assert engine.load(file).origin.pre_tokenizer == told


@pytest.mark.slow
def test_two_processes_at_once(plain: Path, cache: Path) -> None:
    code = (
        "import sys, pathlib; from huggingface_hub import constants; constants.HF_ASSETS_CACHE = sys.argv[2];"
        "from engine.model import gguf_conversion; from engine.model.monitor import Monitor;"
        "print('ready', flush=True);"
        "print(gguf_conversion.convert(pathlib.Path(sys.argv[1]), 'tiny', Monitor('tiny'))[0])"
    )
    command = [sys.executable, "-c", code, str(plain), constants.HF_ASSETS_CACHE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "ready\n"
        mine, facts = gguf_conversion.convert(plain, "tiny", Monitor("tiny"))
        assert other.stdout.read().strip() == str(mine)
    assert other.returncode == 0 and folders(cache) == [mine] and facts.quantization == "F32"
    assert [path.name for path in cache.iterdir() if path.name.startswith(".unfinished")] == []


def test_two_threads_at_once(plain: Path, cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: gguf_conversion.convert(plain, "tiny", Monitor("tiny")), range(4)))
    assert len(set(made)) == 1 and folders(cache) == [made[0][0]]


def test_several_files_in_a_folder(plain: Path) -> None:
    shutil.copy(plain, plain.with_name("other.gguf"))
    error = refusal(plain.parent)
    assert (error.code, error.values["files"]) == ("gguf_several", "other.gguf, tiny.gguf")
    assert engine.load(plain).encode("cat")


def test_safetensors_have_precedence(plain: Path, qwen2: Tiny, cache: Path) -> None:
    folder = Path(shutil.copytree(qwen2.folder, plain.parent / "both"))
    shutil.copy(plain, folder / "tiny.gguf")
    assert engine.load(folder).origin.quantization == "" and folders(cache) == []


@pytest.mark.parametrize("length", [0, 3, 20, 300, 5000, 20_000, -1000])
def test_a_file_that_is_not_whole(plain: Path, cache: Path, length: int) -> None:
    plain.write_bytes(plain.read_bytes()[:length])
    assert refusal(plain).code == "gguf"
    assert folders(cache) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"architecture": "no-such-model"}, "gguf"),
        ({"architecture": "t5"}, "encoder_decoder"),
        ({"layers": 5}, "gguf"),
        ({"layers": 2**31 - 1}, "broken"),
    ],
)
def test_what_is_refused(qwen2: Tiny, tmp_path: Path, cache: Path, changes: dict[str, Any], code: str) -> None:
    assert refusal(gguf_files.write(qwen2.folder, tmp_path / "a.gguf", **changes)).code == code
    assert folders(cache) == []


def test_files_beside_it_and_its_template_are_not_used(qwen2: Tiny, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    template = "{{ ''.__class__.__base__.__subclasses__() }}"
    file = gguf_files.write(qwen2.folder, tmp_path / "a.gguf", template=template)
    (tmp_path / "own.py").write_text(f"from pathlib import Path\nPath({str(marker)!r}).touch()", "utf-8")
    beside = '{"model_type": "qwen2", "auto_map": {"AutoConfig": "own.C", "AutoTokenizer": ["own.T", null]}}'
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / name).write_text(beside, "utf-8")
    assert engine.load(file).encode("cat")
    assert not marker.exists()


def test_without_the_packages(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Any:
        return None if name == "accelerate" else find_spec(name)

    with monkeypatch.context() as patch:
        patch.setattr(gguf_conversion, "find_spec", find)
        assert refusal(plain).code == "gguf_packages"
    assert engine.load(plain).encode("cat")


def test_it_stops_and_leaves_nothing(plain: Path, cache: Path) -> None:
    stop = threading.Event()
    assert refusal(plain, stop=stop, progress=lambda done, total: stop.set()).code == "stopped"
    assert folders(cache) == []


def test_what_a_killed_process_left_is_made_anew(plain: Path, cache: Path) -> None:
    first = engine.load(plain)
    (folder,) = folders(cache)
    rest = folder.rename(folder.with_name(f".unfinished-{folder.name}"))
    (rest / "model.safetensors").write_bytes(b"half")
    assert engine.load(plain).fingerprint == first.fingerprint
    assert folders(cache) == [folder]


def test_too_large_for_the_memory(plain: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: memory.RESERVE + plain.stat().st_size)
    assert refusal(plain).code == "too_large_memory"
    assert folders(cache) == []


def test_from_the_hub(hub: Hub, plain: Path) -> None:
    hub.add("somebody/tiny-gguf", files={"tiny.gguf": plain.read_bytes(), "README.md": b"tiny"})
    model = engine.load("somebody/tiny-gguf")
    assert (model.revision, model.origin.quantization) == ("main", "F32")
    assert hub.gets("tiny.gguf") == 1 and hub.gets("README.md") == 0


def test_one_of_several_files_on_the_hub(
    hub: Hub, qwen2: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        f"tiny-{kind}.gguf": gguf_files.write(qwen2.folder, tmp_path / f"{kind}.gguf", kind).read_bytes()
        for kind in ("F32", "Q8_0")
    }
    name = "somebody/several"
    commit = hub.add(name, files={**files, "README.md": b"tiny"}).resolve("main")
    for unknown in (name, f"{name}/no.gguf"):
        with pytest.raises(engine.ModelError) as caught:
            engine.load(unknown)
        assert (caught.value.code, caught.value.values["files"]) == ("gguf_several", "tiny-F32.gguf, tiny-Q8_0.gguf")
    assert hub.sent == 0
    for kind in ("F32", "Q8_0"):
        model = engine.load(f"{name}/tiny-{kind}.gguf")
        assert (model.origin.quantization, model.revision, model.origin.commit) == (kind, "main", commit)
    assert engine.load(f"{name}/tiny-F32.gguf@{commit}").revision == commit
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert engine.load(f"{name}/tiny-Q8_0.gguf").fingerprint == model.fingerprint
    hub.add("somebody/else", files={"README.md": b"none"})
    with pytest.raises(engine.ModelError) as caught:
        engine.load("somebody/else/tiny.gguf")
    assert caught.value.code == "offline"
