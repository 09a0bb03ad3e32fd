"""A model from disk or from the Hugging Face hub: safetensors only, never code from a repository.

It reads and checks; who may ask for which model is `shared.py`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from engine.bundled import BUNDLED, BUNDLED_NAME
from engine.errors import ModelError
from engine.model.fingerprint import fingerprint
from engine.model.forward import RECORDING_ATTENTION, Forward
from engine.model.model import Model
from engine.model.prefix_cache import PrefixCache
from engine.tokenization.vocabulary import Vocabulary

DEFAULT_TREE_BYTES = 512 * 2**20
_UNBOUNDED_CONTEXT = 2048  # for models that state no limit, such as state-space ones
_HUB_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")


def load(
    name: str | Path | None = None,
    *,
    max_bytes: int = DEFAULT_TREE_BYTES,
    from_hub: bool = True,
    stage: Callable[[str], None] = lambda _: None,
) -> Model:
    """The bundled model, a folder in the hub's format, or a model of the Hugging Face hub by its id.

    max_bytes bounds the prefix tree. `stage` is told `files`, `tokenizer`, `weights`, `warm_up` as they begin.
    Weights are computed with in float32 on the CPU. Raises ModelError: `missing`, `no_safetensors`, `no_tokenizer`,
    `not_causal`, `broken`.
    """
    shown = str(name or BUNDLED_NAME)
    stage("files")
    folder = BUNDLED if shown == BUNDLED_NAME else _folder(shown, from_hub)
    if not (folder / "config.json").is_file():
        raise ModelError("missing", f"no config.json in {shown}", name=shown)
    if not any(folder.glob("*.safetensors")):
        raise ModelError("no_safetensors", f"{shown} has no weights in safetensors format", name=shown)
    stage("tokenizer")
    tokenizer, text_limit, end_id = _tokenizer(folder, shown)
    stage("weights")
    hf = _weights(folder, shown)
    stage("warm_up")
    size = int(hf.get_output_embeddings().weight.shape[0])
    vocabulary = Vocabulary(tokenizer, size)
    forward = _ready(hf, shown)
    _check_causal(hf, shown)
    config = hf.config.get_text_config(decoder=True)
    stated = (getattr(config, name, None) for name in ("max_position_embeddings", "max_seq_len"))  # the latter: MPT
    limit = next(filter(None, stated), text_limit if text_limit < 10**6 else _UNBOUNDED_CONTEXT)
    return Model(
        name=shown,
        vocabulary=vocabulary,
        prefix_cache=PrefixCache(forward, max_bytes),
        context_length=int(limit),
        end_ids=frozenset(i for i in _end_ids(hf, end_id) if i < size),
        fingerprint=fingerprint(vocabulary, hf),
    )


def _folder(name: str, from_hub: bool) -> Path:
    try:
        if Path(name).is_dir():
            return Path(name)
    except OSError:  # a name too long for a path, for instance
        pass
    if not _HUB_ID.fullmatch(name):
        raise ModelError("missing", f"{name!r} is neither a folder nor a hub id", name=name)
    try:
        return Path(
            snapshot_download(
                name,
                allow_patterns=["*.json", "*.safetensors", "*.txt", "*.model"],
                local_files_only=not from_hub,
            )
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError("missing", f"{name} was not found or could not be fetched: {error}", name=name) from error


def _tokenizer(folder: Path, name: str) -> tuple[Tokenizer, int, int | None]:
    """The tokenizer, the longest text it states, and its end-of-text id.

    `tokenizer.json` is taken as it stands where there is one: a class chosen by the model's family may rebuild it
    differently (it reads a BERT vocabulary as GPT-2's bytes, for instance).
    """
    try:
        if (folder / "tokenizer.json").is_file():
            backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
            stated = folder / "tokenizer_config.json"
            config = json.loads(stated.read_text("utf-8")) if stated.is_file() else {}
            end = config.get("eos_token")
            end = end.get("content") if isinstance(end, dict) else end
            limit = config.get("model_max_length") or _UNBOUNDED_CONTEXT
            return backend, int(limit), backend.token_to_id(end) if end else None
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if not any((folder / file).is_file() for file in tokenizer.vocab_files_names.values()):
            raise FileNotFoundError("there is no vocabulary")  # the library makes up an empty one
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())  # our own copy, whose settings we change
        return backend, int(tokenizer.model_max_length), tokenizer.eos_token_id
    except Exception as error:  # the library raises almost anything here
        raise ModelError("no_tokenizer", f"{name} has no tokenizer that can be read: {error}", name=name) from error


def _weights(folder: Path, name: str) -> PreTrainedModel:
    transformers_logging.disable_progress_bar()
    arguments: dict[str, Any] = {
        "trust_remote_code": False,
        "use_safetensors": True,
        "dtype": torch.float32,
        "local_files_only": True,
        "output_loading_info": True,
    }
    read: Any = partial(AutoModelForCausalLM.from_pretrained, folder, **arguments)
    try:
        try:
            hf, info = read(attn_implementation=RECORDING_ATTENTION)
        except (ValueError, ImportError, KeyError):  # a family without the attention interface
            hf, info = read(attn_implementation="eager")
    except ValueError as error:
        raise ModelError("not_causal", f"{name} is not a causal language model: {error}", name=name) from error
    except Exception as error:  # truncated or foreign files raise almost anything
        raise ModelError("broken", f"{name} could not be read: {error}", name=name) from error
    if info["missing_keys"] or info["mismatched_keys"]:
        raise ModelError("broken", f"{name} lacks weights: {sorted(info['missing_keys'])[:3]}", name=name)
    return hf.eval()


def _ready(hf: PreTrainedModel, name: str) -> Forward:
    """The first pass. A family that builds its own masks may fail where one is left out: then its own way."""
    try:
        try:
            return Forward(hf)
        except Exception:
            hf.config._attn_implementation = "eager"
            return Forward(hf)
    except Exception as error:  # whatever a family's code raises
        raise ModelError("broken", f"{name} cannot be run: {error}", name=name) from error


@torch.inference_mode()
def _check_causal(hf: PreTrainedModel, name: str) -> None:
    """What follows must not change a prediction: true of a causal model, false of one that looks both ways."""
    one = hf(input_ids=torch.tensor([[0]]), use_cache=False).logits[0, 0]
    two = hf(input_ids=torch.tensor([[0, 1]]), use_cache=False).logits[0, 0]
    if not torch.isfinite(one).all():
        raise ModelError("broken", f"{name} gives numbers that are not finite", name=name)
    if not torch.allclose(one, two, atol=1e-3, rtol=1e-3):
        raise ModelError("not_causal", f"{name} looks at what follows a token", name=name)


def _end_ids(hf: PreTrainedModel, of_tokenizer: int | None) -> set[int]:
    """Every id that `generate` would stop at, and the tokenizer's own end mark."""
    stated = hf.generation_config.eos_token_id if hf.generation_config else None
    if stated is None:
        stated = hf.config.eos_token_id
    ids = stated if isinstance(stated, list) else [stated]
    return {int(i) for i in [*ids, of_tokenizer] if i is not None}
