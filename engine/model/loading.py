"""Model loading from disk or from the Hugging Face hub: safetensors and GGUF only, no code from repositories.

Checks the files and builds the model. `serving/allowed_models.py` decides which models may be loaded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from engine.bundled import BUNDLED, BUNDLED_NAME
from engine.errors import ModelError
from engine.model import config_checks, device, gguf_conversion, hub, hub_name, memory, number_format
from engine.model.fingerprint import fingerprint
from engine.model.forward import RECORDING_ATTENTION, Forward
from engine.model.model import Model
from engine.model.monitor import Monitor
from engine.model.number_format import Dtype, Format
from engine.model.origin import Origin
from engine.model.prefix_cache import PrefixCache
from engine.model.safetensors_header import tensor_sizes
from engine.model.tokenizer_files import DEFAULT_CONTEXT_LENGTH, load_tokenizer, separator_id
from engine.tokenization.chat_template_files import read_chat_template
from engine.tokenization.vocabulary import Vocabulary

DEFAULT_TREE_BYTES = 512 * 2**20
_allocating = threading.Lock()


def load(
    name: str | Path | None = None,
    *,
    max_bytes: int = DEFAULT_TREE_BYTES,
    from_hub: bool = True,
    stage: Callable[[str], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stop: threading.Event | None = None,
    dtype: Dtype = "float32",
    place: device.Choice = "cpu",
) -> Model:
    """Model from the bundled files (default), a folder in the hub's format, a GGUF file, or a Hugging Face hub id.

    A hub id may end with `@REVISION`: a branch, a tag, a pull request (`refs/pr/3`) or a commit. max_bytes bounds the
    prefix cache. `stage` is called with `files`, `download` (if anything is missing), `convert` (a GGUF file),
    `tokenizer`, `weights` and `warm_up` as each begins, `progress` with the bytes done and all bytes of a download or
    of the file to convert; `stop` ends the load. `dtype` is the number format of the weights, whatever the files have,
    see `number_format.py`; with `place="auto"` a GPU computes if there is one, see `device.py`. Without `from_hub`, hub
    ids are looked up only in the local cache. Raises ModelError, which lists its codes.
    """
    model_name = str(name or BUNDLED_NAME)
    monitor = Monitor(model_name, stage, progress, stop)
    monitor.begin("files")
    folder, origin = _resolve_folder(model_name, from_hub, monitor, memory.BYTES_PER_NUMBER[dtype])
    if model_name != BUNDLED_NAME and (gguf := gguf_conversion.find(folder, model_name)):
        folder, facts = gguf_conversion.convert(gguf, model_name, monitor)
        origin = replace(origin, quantization=facts.quantization, pre_tokenizer=facts.pre_tokenizer)
    if not (folder / "config.json").is_file():
        raise ModelError("missing", f"no config.json in {model_name}", name=model_name)
    if not any(folder.glob("*.safetensors")):
        raise ModelError("no_safetensors", f"{model_name} has no weights in safetensors format", name=model_name)
    if model_name != BUNDLED_NAME:
        config_checks.inspect(folder, model_name, memory.BYTES_PER_NUMBER[dtype], tensor_sizes(folder))
    monitor.begin("tokenizer")
    tokenizer, text_limit, end_id = load_tokenizer(folder, model_name)
    monitor.begin("weights")
    with monitor.turn(_allocating):  # of several models, each sees the memory that those before it have taken
        if model_name != BUNDLED_NAME:
            memory.check_memory(model_name, memory.BYTES_PER_NUMBER[dtype] * sum((tensor_sizes(folder) or {}).values()))
        forward = number_format.load_fastest(partial(_load_forward, folder, model_name, place), dtype)
    monitor.begin("warm_up")
    hf = forward.model
    size = int(hf.get_output_embeddings().weight.shape[0])
    end_ids = {i for i in _end_ids(hf, end_id) if i < size} or {separator_id(tokenizer)} - {None}
    vocabulary = Vocabulary(tokenizer, size)
    _ = vocabulary.marked_names  # takes a moment for a large vocabulary: not when the first token is shown
    _check_causal(hf, size, model_name)
    config = hf.config.get_text_config(decoder=True)
    limits = (getattr(config, key, None) for key in ("max_position_embeddings", "max_seq_len"))  # the latter: MPT
    # Tokenizers without a limit state a huge number (`VERY_LARGE_INTEGER` of `transformers`).
    limit = next(filter(None, limits), text_limit if text_limit < 10**6 else DEFAULT_CONTEXT_LENGTH)
    return Model(
        name=model_name,
        vocabulary=vocabulary,
        prefix_cache=PrefixCache(forward, max_bytes),
        context_length=int(limit),
        end_ids=frozenset(i for i in end_ids if i is not None and i < size),
        fingerprint=fingerprint(vocabulary, hf),
        origin=origin,
        chat_template=read_chat_template(folder),
    )


def _resolve_folder(name: str, from_hub: bool, monitor: Monitor, bytes_per_number: int) -> tuple[Path, Origin]:
    """Folder of a model: `name` itself, or the hub snapshot of that id, downloaded if necessary."""
    if name == BUNDLED_NAME:
        return BUNDLED, Origin()
    if hub_name.is_local(name):
        return Path(name), Origin()  # a folder, or a GGUF file

    def inspect(folder: Path) -> None:
        if (folder / "config.json").is_file():
            config_checks.inspect(folder, name, bytes_per_number)

    return hub.fetch(name, hub_name.parse(name), from_hub, monitor, inspect, bytes_per_number)


def _load_forward(folder: Path, name: str, place: device.Choice, dtype: Format) -> Forward:
    """Forward of a model in a number format, on its device."""
    forward = _prepare_forward(_load_weights(folder, name, dtype), name)
    if place == "auto":
        device.move_to_accelerator(forward)
    return forward


def _load_weights(folder: Path, name: str, dtype: Format) -> PreTrainedModel:
    """Model in evaluation mode, with the recording attention where its family supports it, else eager attention."""
    transformers_logging.disable_progress_bar()
    arguments: dict[str, Any] = {
        "trust_remote_code": False,
        "use_safetensors": True,
        "dtype": getattr(torch, dtype),
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
    text = torch.tensor([[ids[i % len(ids)] for i in range(3)]], device=hf.device)  # (1, 3)
    alone = hf(input_ids=text[:, :2], use_cache=False).logits[0]  # (2, V)
    followed = hf(input_ids=text, use_cache=False).logits[0, :2]
    if not (torch.isfinite(alone).all() and torch.isfinite(followed).all()):
        spoilt = [key for key, tensor in hf.named_parameters() if not torch.isfinite(tensor).all()]
        if spoilt:
            raise ModelError("not_finite_weights", f"{name} has weights that are not finite: {spoilt[:3]}", name=name)
        raise ModelError("broken", f"{name} produces logits that are not finite", name=name)
    exact = alone.dtype == torch.float32
    atol = 1e-3 if exact else 0.05 * float(alone.abs().max())  # passes of two lengths round differently
    if not torch.allclose(alone, followed, atol=atol, rtol=1e-3):
        raise ModelError("not_causal", f"{name} attends to later tokens", name=name)


def _end_ids(hf: PreTrainedModel, tokenizer_end_id: int | None) -> set[int]:
    """All ids at which `generate` would stop, and the tokenizer's end-of-text id."""
    eos = hf.generation_config.eos_token_id if hf.generation_config else None
    if eos is None:
        eos = hf.config.eos_token_id
    ids = eos if isinstance(eos, list) else [eos]
    return {int(i) for i in [*ids, tokenizer_end_id] if i is not None}
