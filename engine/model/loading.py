"""Model loading from disk or from the Hugging Face hub: safetensors only, no code from repositories.

Reads and checks the files. `serving/model_registry.py` decides which models may be loaded.
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
_DEFAULT_CONTEXT_LENGTH = 2048  # for models without a limit in their config, such as state-space models
_HUB_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")


def load(
    name: str | Path | None = None,
    *,
    max_bytes: int = DEFAULT_TREE_BYTES,
    from_hub: bool = True,
    stage: Callable[[str], None] = lambda _: None,
) -> Model:
    """Model from the bundled files (default), a folder in the hub's format, or a Hugging Face hub id.

    max_bytes bounds the prefix cache. `stage` is called with `files`, `tokenizer`, `weights` and `warm_up` as each
    begins. Weights are loaded as float32 on the CPU. Without `from_hub`, hub ids are looked up only in the local
    cache. Raises ModelError: `missing`, `no_safetensors`, `no_tokenizer`, `not_causal`, `broken`.
    """
    model_name = str(name or BUNDLED_NAME)
    stage("files")
    folder = BUNDLED if model_name == BUNDLED_NAME else _resolve_folder(model_name, from_hub)
    if not (folder / "config.json").is_file():
        raise ModelError("missing", f"no config.json in {model_name}", name=model_name)
    if not any(folder.glob("*.safetensors")):
        raise ModelError("no_safetensors", f"{model_name} has no weights in safetensors format", name=model_name)
    stage("tokenizer")
    tokenizer, text_limit, end_id = _load_tokenizer(folder, model_name)
    stage("weights")
    hf = _load_weights(folder, model_name)
    stage("warm_up")
    size = int(hf.get_output_embeddings().weight.shape[0])
    vocabulary = Vocabulary(tokenizer, size)
    _ = vocabulary.marked_names  # takes a moment for a large vocabulary: not when the first token is shown
    forward = _prepare_forward(hf, model_name)
    _check_causal(hf, size, model_name)
    config = hf.config.get_text_config(decoder=True)
    limits = (getattr(config, key, None) for key in ("max_position_embeddings", "max_seq_len"))  # the latter: MPT
    # Tokenizers without a limit state a huge number (`VERY_LARGE_INTEGER` of `transformers`).
    limit = next(filter(None, limits), text_limit if text_limit < 10**6 else _DEFAULT_CONTEXT_LENGTH)
    return Model(
        name=model_name,
        vocabulary=vocabulary,
        prefix_cache=PrefixCache(forward, max_bytes),
        context_length=int(limit),
        end_ids=frozenset(i for i in _end_ids(hf, end_id) if i < size),
        fingerprint=fingerprint(vocabulary, hf),
    )


def _resolve_folder(name: str, from_hub: bool) -> Path:
    """Folder of a model: `name` itself, or the hub snapshot of that id, downloaded if necessary."""
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


def _load_tokenizer(folder: Path, name: str) -> tuple[Tokenizer, int, int | None]:
    """Tokenizer, its maximum text length in tokens, and its end-of-text id.

    An existing `tokenizer.json` is read directly: the tokenizer class chosen by the model's family may rebuild it
    differently (it reads a BERT vocabulary as GPT-2's bytes, for instance).
    """
    try:
        if (folder / "tokenizer.json").is_file():
            backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
            config_file = folder / "tokenizer_config.json"
            config = json.loads(config_file.read_text("utf-8")) if config_file.is_file() else {}
            end = config.get("eos_token")
            end = end.get("content") if isinstance(end, dict) else end
            limit = config.get("model_max_length") or _DEFAULT_CONTEXT_LENGTH
            return backend, int(limit), backend.token_to_id(end) if end else None
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if not any((folder / file).is_file() for file in tokenizer.vocab_files_names.values()):
            raise FileNotFoundError("no vocabulary file")  # transformers would create an empty vocabulary
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())  # a copy: `Vocabulary` changes settings
        return backend, int(tokenizer.model_max_length), tokenizer.eos_token_id
    except Exception as error:  # a malformed file may raise almost any exception
        raise ModelError("no_tokenizer", f"{name} has no tokenizer that can be read: {error}", name=name) from error


def _load_weights(folder: Path, name: str) -> PreTrainedModel:
    """Model in evaluation mode, with the recording attention where its family supports it, else eager attention."""
    transformers_logging.disable_progress_bar()
    arguments: dict[str, Any] = {
        "trust_remote_code": False,
        "use_safetensors": True,
        "dtype": torch.float32,
        "local_files_only": True,
        "output_loading_info": True,
    }
    from_pretrained: Any = partial(AutoModelForCausalLM.from_pretrained, folder, **arguments)
    try:
        try:
            hf, info = from_pretrained(attn_implementation=RECORDING_ATTENTION)
        except (ValueError, ImportError, KeyError):  # a family without the attention interface
            hf, info = from_pretrained(attn_implementation="eager")
    except ValueError as error:
        raise ModelError("not_causal", f"{name} is not a causal language model: {error}", name=name) from error
    except Exception as error:  # a truncated or foreign file may raise almost any exception
        raise ModelError("broken", f"{name} could not be read: {error}", name=name) from error
    if info["missing_keys"] or info["mismatched_keys"]:
        raise ModelError("broken", f"{name} lacks weights: {sorted(info['missing_keys'])[:3]}", name=name)
    return hf.eval()


def _prepare_forward(hf: PreTrainedModel, name: str) -> Forward:
    """Forward of a model after its first pass, with eager attention if the recording one fails.

    It fails for some families that build their own masks, where we omit one.
    """
    try:
        try:
            return Forward(hf)
        except Exception:
            hf.config._attn_implementation = "eager"
            return Forward(hf)
    except Exception as error:  # the model code may raise almost any exception
        raise ModelError("broken", f"{name} cannot be run: {error}", name=name) from error


@torch.inference_mode()
def _check_causal(hf: PreTrainedModel, size: int, name: str) -> None:
    """Check that later tokens do not change earlier predictions, as they do in a bidirectional model.

    size: number of tokens of the vocabulary.
    """
    padding = getattr(hf.config.get_text_config(decoder=True), "pad_token_id", None)  # some families mask it
    ids = [i for i in range(min(size, 4)) if i != padding] or [0]
    text = torch.tensor([[ids[i % len(ids)] for i in range(3)]])  # (1, 3)
    alone = hf(input_ids=text[:, :2], use_cache=False).logits[0]  # (2, V)
    followed = hf(input_ids=text, use_cache=False).logits[0, :2]
    if not (torch.isfinite(alone).all() and torch.isfinite(followed).all()):
        raise ModelError("broken", f"{name} produces logits that are not finite", name=name)
    if not torch.allclose(alone, followed, atol=1e-3, rtol=1e-3):
        raise ModelError("not_causal", f"{name} attends to later tokens", name=name)


def _end_ids(hf: PreTrainedModel, tokenizer_end_id: int | None) -> set[int]:
    """All ids at which `generate` would stop, and the tokenizer's end-of-text id."""
    eos = hf.generation_config.eos_token_id if hf.generation_config else None
    if eos is None:
        eos = hf.config.eos_token_id
    ids = eos if isinstance(eos, list) else [eos]
    return {int(i) for i in [*ids, tokenizer_end_id] if i is not None}
