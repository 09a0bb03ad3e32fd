"""Checks of a model's `config.json` before anything is built: its kind of model, and the sizes that it claims."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, MODEL_FOR_MASKED_LM_MAPPING_NAMES

from engine.errors import ModelError
from engine.model import memory

_COUNT = re.compile(r"(num|n)_(\w+_)?(layers?|blocks?|experts?)")
_MOST = 10_000  # layers or experts; the libraries build lists as long as that while they read the config
_MOST_REPEATS = 10**7  # of the numbers within lists, such as GPT-Neo's `[["global"], repeats]`
_MOST_MEASURED = 500  # layers of which the empty model is built to learn its size


def inspect(folder: Path, name: str, bytes_per_number: int, tensors: dict[str, int] | None = None) -> None:
    """Check the config of a model's folder; `tensors` as in `read`.

    Raises ModelError as `read`, and `encoder_decoder`, `masked` for another kind of model, `too_large_memory` for more
    numbers than fit.
    """
    config, layers = read(folder, name, tensors)
    check_config(config, name, bytes_per_number, sum((tensors or {}).values()), layers)


def read(folder: Path, name: str, tensors: dict[str, int] | None = None) -> tuple[PreTrainedConfig, int]:
    """Config of a model's folder, and how many layers it claims at most.

    tensors: numbers in each tensor of the weight files, where these are known.

    Raises ModelError: `not_causal` for an unknown family, `broken` for a config that cannot be read or claims more
    layers than there are tensors.
    """
    try:
        raw = json.loads((folder / "config.json").read_text("utf-8"))
        if not isinstance(raw, dict):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError("broken", f"config.json of {name} cannot be read: {error}", name=name) from error
    layers = max(_counts(raw, name), default=0)
    if tensors is not None and layers > max(len(tensors), 100):
        raise ModelError("broken", f"{name} claims {layers} layers and has {len(tensors)} tensors", name=name)
    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=False), layers
    except Exception as error:  # an unknown family, or values that its config class does not take
        known = isinstance(raw.get("model_type"), str) and raw["model_type"] in CONFIG_MAPPING
        code = "broken" if known else "not_causal"
        raise ModelError(code, f"{name} is not a causal language model: {error}", name=name) from error


def check_config(config: PreTrainedConfig, name: str, bytes_per_number: int, numbers: int = 0, layers: int = 0) -> None:
    """Check a config that has been read; `numbers` are in the weight files, in `layers`. Raises as `inspect`."""
    _check_kind(config, name)
    if layers <= _MOST_MEASURED:
        numbers = max(numbers, _claimed_numbers(config))
    memory.check_memory(name, numbers * bytes_per_number)


def _counts(raw: dict[str, Any], name: str) -> list[int]:
    """Every number of layers or experts in a config. Raises ModelError(`broken`) for one that is absurd."""
    counts = []
    for key, value, listed in _numbers(raw):
        counted = _COUNT.fullmatch(key) is not None and not listed
        if value > (_MOST if counted else _MOST_REPEATS) and (counted or listed):
            raise ModelError("broken", f"the config of {name} claims {key} = {value}", name=name)
        if counted:
            counts.append(value)
    return counts


def _numbers(value: Any, key: str = "", listed: bool = False) -> Iterator[tuple[str, int, bool]]:
    """Whole numbers of a JSON value with the key that they are under, and whether they stand in a list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, key, True)
    elif isinstance(value, int):
        yield key, value, listed


def _check_kind(config: PreTrainedConfig, name: str) -> None:
    """Raise ModelError for a model that is known to be of another kind."""
    named = config.architectures
    architectures = [str(architecture) for architecture in named] if isinstance(named, list) else []
    decoder = any(a.endswith(("ForCausalLM", "LMHeadModel")) for a in architectures)
    if getattr(config, "is_encoder_decoder", False) and not decoder:
        message = f"{name} has an encoder that reads the whole text, and a decoder"
        raise ModelError("encoder_decoder", message, name=name)
    causal = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    masked = not causal and config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if masked or any(a.endswith("ForMaskedLM") for a in architectures):
        raise ModelError("masked", f"{name} fills in masked tokens", name=name)


def _claimed_numbers(config: PreTrainedConfig) -> int:
    """Parameters and constants of the model that a config describes, built without memory; 0 if it cannot be built."""
    try:
        with torch.device("meta"):
            empty = AutoModelForCausalLM.from_config(config, trust_remote_code=False, attn_implementation="eager")
    except Exception:  # the model code may raise almost any exception; loading will tell
        return 0
    return sum(tensor.numel() for tensor in (*empty.parameters(), *empty.buffers()))
