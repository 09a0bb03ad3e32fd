"""GGUF files, the format of llama.cpp: converted once into a folder that is loaded as any other.

The folder is named by the hash of the file and holds the weights unpacked to float32 as safetensors, the config and
`tokenizer.json`. `transformers` reads the file; nothing in it is executed, its chat template included.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import torch
from huggingface_hub.utils import WeakFileLock
from transformers import AutoConfig, AutoModelForCausalLM, GgufConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from engine.errors import ModelError
from engine.model import config_checks, memory
from engine.model.monitor import Monitor
from engine.model.own_cache import own_folder

_VERSION = 1  # of what a folder holds; older folders are not used
_NOTE = "gguf.json"
_PACKAGES = ("gguf", "accelerate")
_GPT2_RULES = ("gpt-2", "gpt2")  # names of GPT-2's own rule for splitting text
_COUNTS = (".block_count", ".expert_count")
_MOST_EXPERTS = 10_000  # stored in few tensors
_LARGEST_RATIO = 16  # numbers a byte of a file can hold, at 1.5 bits each and with margin, for a first check


class GgufFacts(NamedTuple):
    """What a page tells of a GGUF file; see `Origin`."""

    quantization: str
    pre_tokenizer: str


def find(path: Path, name: str) -> Path | None:
    """The GGUF file that a model is to be loaded from: `path` itself, or the one in a folder without safetensors.

    Raises ModelError(`gguf_several`) for a folder with several.
    """
    if path.is_file():
        return path
    files = [] if any(path.glob("*.safetensors")) else sorted(path.glob("*.gguf"))
    if len(files) > 1:
        listed = ", ".join(file.name for file in files)
        raise ModelError("gguf_several", f"{name} has several GGUF files: {listed}", name=name, files=listed)
    return files[0] if files else None


def convert(file: Path, name: str, monitor: Monitor) -> tuple[Path, GgufFacts]:
    """Folder with the converted model, made by the first call for a file.

    Raises ModelError: `gguf_packages`, `gguf`, `too_large_memory`, `too_large_disk`, `stopped`, and the codes for
    models of another kind.
    """
    monitor.begin("convert")
    folder = own_folder("gguf") / f"{_hash(file, monitor)}-{_VERSION}"
    if not folder.is_dir():
        missing = [package for package in _PACKAGES if find_spec(package) is None]
        if missing:
            raise ModelError("gguf_packages", f"GGUF files need {', '.join(missing)}", name=name)
        with _told_as_gguf(name):
            monitor.run(lambda: _fill(folder, file, name, monitor))
    note = json.loads((folder / _NOTE).read_text("utf-8"))
    return folder, GgufFacts(str(note["quantization"]), str(note["pre_tokenizer"]))


def _hash(file: Path, monitor: Monitor) -> str:
    """First half of the SHA-256 of a file."""
    digest, total, done = hashlib.sha256(), file.stat().st_size, 0
    with file.open("rb") as content:
        while chunk := content.read(2**20):
            digest.update(chunk)
            done += len(chunk)
            monitor.progress(done, total)
    return digest.hexdigest()[:32]


def _fill(folder: Path, file: Path, name: str, monitor: Monitor) -> None:
    """Make the folder of a file, whole or not at all; of two processes one does it and the other waits."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(folder.with_suffix(".lock")):
        if folder.is_dir():
            return
        facts, numbers = _read(file, name)
        memory.check_memory(name, 2 * 4 * numbers)  # unpacked, and in the model
        memory.check_disk(name, 4 * numbers, folder)
        made = folder.with_name(f".unfinished-{folder.name}")
        shutil.rmtree(made, ignore_errors=True)  # of a process that was killed
        try:
            place, target = made / "file", made / "folder"
            place.mkdir(parents=True)
            # By itself in a folder: files beside it, such as another config.json, have no say.
            (place / "model.gguf").symlink_to(file.resolve())
            _convert_model(place, target, name, monitor)
            monitor.check()
            # `AutoTokenizer` makes the same, after reading the whole file again.
            tokenizer = PreTrainedTokenizerFast.from_pretrained(place, gguf_file="model.gguf", local_files_only=True)
            tokenizer.save_pretrained(target)
            (target / _NOTE).write_text(json.dumps(facts._asdict()), "utf-8")
            monitor.check()
            os.replace(target, folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _read(file: Path, name: str) -> tuple[GgufFacts, int]:
    """Facts of a file from its metadata, and how many numbers its tensors hold."""
    from gguf import GGMLQuantizationType, LlamaFileType
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS
    from transformers.integrations.gguf.reader import GgufHeader, read_gguf_metadata

    metadata, names = read_gguf_metadata(str(file))
    counts = {key: value for key, value in metadata.items() if key.endswith(_COUNTS) and isinstance(value, int)}
    for key, value in counts.items():
        if value > max(len(names), _MOST_EXPERTS if "expert" in key else 0):
            raise ModelError("broken", f"{name} claims {key} = {value} and has {len(names)} tensors", name=name)
    if int(metadata.get("split.count", 1)) > 1:
        raise ModelError("gguf", f"{name} is one of several parts", name=name)
    try:
        tensors = GgufHeader.from_file(str(file)).tensors
        numbers = sum(prod(tensor.shape) for tensor in tensors)
        if numbers > _LARGEST_RATIO * file.stat().st_size:
            raise ModelError("gguf", f"{name} claims {numbers} numbers, more than fit into the file", name=name)
    except ValueError:  # a type that only the package gguf knows
        tensors, numbers = (), 2 * file.stat().st_size
    kinds: Counter[int] = Counter()
    for tensor in tensors:
        kinds[tensor.ggml_type] += prod(tensor.shape)
    try:
        quantization = LlamaFileType(metadata["general.file_type"]).name.split("_", 1)[1]  # MOSTLY_Q4_1, ALL_F32
    except (KeyError, ValueError):
        quantization = GGMLQuantizationType(kinds.most_common(1)[0][0]).name if kinds else ""
    rule = str(metadata.get("tokenizer.ggml.pre", "default"))
    byte_level = metadata.get("tokenizer.ggml.model") == "gpt2"
    known = rule in GGUF_PRE_TOKENIZER_SPLITS or rule in _GPT2_RULES or not byte_level
    return GgufFacts(quantization, "" if known else rule), numbers


def _convert_model(place: Path, target: Path, name: str, monitor: Monitor) -> None:
    """Save the weights and the config of `model.gguf` in `place` as a model of `transformers` in float32."""
    transformers_logging.disable_progress_bar()
    options: dict[str, Any] = {"gguf_file": "model.gguf", "local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(place, **options)
    config_checks.check_config(config, name, 4)
    monitor.check()
    options |= {"dtype": torch.float32, "quantization_config": GgufConfig(dequantize=True), "output_loading_info": True}
    loaded: Any = AutoModelForCausalLM.from_pretrained(place, config=config, **options)
    packed, info = loaded
    if info["missing_keys"] or info["mismatched_keys"]:
        raise ModelError("gguf", f"{name} lacks weights: {sorted(info['missing_keys'])[:3]}", name=name)
    monitor.check()
    plain_config = packed.config.__class__.from_dict(
        {key: value for key, value in packed.config.to_dict().items() if key != "quantization_config"}
    )
    with torch.device("meta"):
        plain: PreTrainedModel = AutoModelForCausalLM.from_config(plain_config, dtype=torch.float32)
    plain.load_state_dict(packed.state_dict(), assign=True)
    plain.tie_weights()
    plain.generation_config = packed.generation_config
    plain.save_pretrained(target)


@contextmanager
def _told_as_gguf(name: str) -> Iterator[None]:
    """Context that turns any exception of the conversion into ModelError(`gguf`)."""
    try:
        yield
    except ModelError as error:
        if error.code == "not_causal":
            raise ModelError("gguf", str(error), name=name) from error
        raise
    except Exception as error:  # a truncated or foreign file may raise almost any exception
        raise ModelError("gguf", f"{name} cannot be converted: {error}", name=name) from error
