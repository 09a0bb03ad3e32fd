"""Forward pass of a `transformers` model that records logits, hidden states, attention weights, keys and values.

A pass takes the new tokens and a KV cache with the keys and values of the tokens before them. It returns, for each
new token, the logits of the next one, its hidden state after every layer, its attention weights in every layer and
head, and its own keys and values. Nothing is stored here: `prefix_cache.py` stores the outputs.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask, sdpa_mask
from transformers.models.llama.modeling_llama import eager_attention_forward as llama_attention

from engine import usage
from engine.model.kv_cache import BatchKVCache, CacheLayer, KVCache

# Byte code of softmax(q·kᵀ·scaling + mask)·v; a family whose eager attention has the same may take the short path.
_PLAIN_ATTENTION_CODE = llama_attention.__code__.co_code
RECORDING_ATTENTION = "recorded"  # name of the attention implementation below
# Called in the passes of its thread, once a layer: queries (B, H, n, dim), keys (B, kv_heads, T, dim), factor of their
# products, weights (B, H, n, T).
attention_observer: ContextVar[Callable[[Tensor, Tensor, float, Tensor], None] | None] = ContextVar(
    "attention_observer", default=None
)


class ForwardOutput(NamedTuple):
    """Output of one pass over n new tokens, on the CPU; T = tokens before them + n, L layers, H heads, d hidden size.

    logits         (n, V)
    hidden_states  (n, L + 1, d), or None: input of the first layer, then output of each layer (the last after the
                   final norm), as `output_hidden_states`
    attentions     (L, H, n, T), or None for a model without attention: as `output_attentions`
    key_values     (n, F), or None for a model without KV cache support: keys and values of all layers, one row per
                   token
    """

    logits: Tensor
    hidden_states: Tensor | None
    attentions: Tensor | None
    key_values: Tensor | None


@lru_cache(maxsize=64)
def _eager_attention(module_name: str) -> tuple[Callable[..., Any], bool]:
    """Eager attention function of a modeling module of `transformers`, and whether it is the plain formula."""
    eager = sys.modules[module_name].eager_attention_forward
    return eager, eager.__code__.co_code == _PLAIN_ATTENTION_CODE


def _recorded_attention(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, Tensor]:
    """Eager attention of the model family, which returns its weights, reported to `attention_observer`.

    query: (B, H, n, dim); key, value: (B, kv_heads, T, dim). Returns (B, n, H, dim) and weights (B, H, n, T).
    """
    output, weights = _attention(module, query, key, value, attention_mask, **kwargs)
    if (observe := attention_observer.get()) is not None:
        observe(query, key, kwargs.get("scaling") or query.shape[-1] ** -0.5, weights)
    return output, weights


def _attention(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, Tensor]:
    """Attention and its weights, as `_recorded_attention`; fewer operations for a single new token."""
    eager, plain = _eager_attention(type(module).__module__)
    if query.shape[2] > 1 or attention_mask is not None or not plain:
        return eager(module, query, key, value, attention_mask, **kwargs)
    batch, heads, kv_heads = query.shape[0], query.shape[1], key.shape[1]
    grouped = query.view(batch, kv_heads, heads // kv_heads, -1)  # (B, kv_heads, group, dim): a group shares its keys
    weights = torch.softmax(torch.matmul(grouped, key.transpose(2, 3)).mul_(kwargs["scaling"]), dim=-1)
    output = torch.matmul(weights, value)  # (B, kv_heads, group, dim)
    return output.view(batch, 1, heads, -1), weights.view(batch, heads, 1, -1)


def _recorded_mask(**kwargs: Any) -> Tensor | None:
    """Eager mask, or None if a single new token attends to all before it (building a mask costs as much as a layer)."""
    if kwargs["q_length"] == 1 and sdpa_mask(**{**kwargs, "allow_is_causal_skip": True}) is None:
        return None
    return eager_mask(**kwargs)


AttentionInterface.register(RECORDING_ATTENTION, _recorded_attention)
AttentionMaskInterface.register(RECORDING_ATTENTION, _recorded_mask)


class Forward:
    """Recorded forward passes of one model. Thread-safe, if each thread passes a KV cache of its own.

    layers             number of layers
    supports_kv_cache  whether the model takes our KV cache
    kv_shapes          per layer (kv_heads, key_dim, value_dim); empty without KV cache support
    lock               held during a pass where passes must not overlap (LongRoPE); else without effect
    rope_switch        length above which all positions are encoded otherwise (LongRoPE); None for other models
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        config = model.config.get_text_config(decoder=True)
        self.layers: int = config.num_hidden_layers
        # State-space and other recurrent models compress the past into a state that cannot be cropped, so they are run
        # on whole texts. So are families that do not accept our KV cache, which only a trial shows.
        self.supports_kv_cache = not getattr(model, "_is_stateful", False)
        self.kv_shapes: list[tuple[int, ...]] = []
        self.rope_switch = _rope_switch(config)
        # LongRoPE keeps its present factors in the module: passes of both kinds must not overlap.
        self.lock: AbstractContextManager[Any] = threading.Lock() if self.rope_switch else nullcontext()
        self._probe()

    @property
    def device(self) -> torch.device:
        """Where the passes are computed."""
        return self.model.device

    @property
    def weight_bytes(self) -> int:
        """Memory of the parameters and buffers; tied weights count once."""
        tensors = (*self.model.parameters(), *self.model.buffers())
        storages = {storage.data_ptr(): storage.nbytes() for storage in (t.untyped_storage() for t in tensors)}
        return sum(storages.values())

    def _probe(self) -> None:
        """One pass over one token: tests KV cache support, sets `kv_shapes`, and warms the model up."""
        if self.supports_kv_cache:
            kv_cache = KVCache(self.layers, self.device)
            try:
                self.run([0], kv_cache)
            except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError):
                self.supports_kv_cache = False
            # One row for each token: some families add rows of their own (CPM-Ant), or share those of other layers.
            if any(layer.new is None or layer.length != 1 for layer in kv_cache.layers):
                self.supports_kv_cache = False
        if self.supports_kv_cache:
            self.kv_shapes = [
                (layer.keys.shape[1], layer.keys.shape[3], layer.values.shape[3])  # type: ignore[union-attr]
                for layer in kv_cache.layers
            ]
        else:
            self.run([0], None)

    @torch.inference_mode()
    def run(self, token_ids: Sequence[int], kv_cache: KVCache | None) -> ForwardOutput:
        """Output of a pass over new `token_ids`; with a KV cache they follow its tokens and are appended to it.

        If the pass fails, the KV cache is unchanged. Raises EngineError(`limit_steps`), see `usage.before_pass`.
        """
        usage.before_pass(len(token_ids))
        past_length = len(kv_cache.token_ids) if kv_cache else 0
        ids = torch.tensor([token_ids], dtype=torch.long, device=self.device)  # (1, n)
        try:
            with self.lock:
                out = self.model(
                    input_ids=ids,
                    past_key_values=kv_cache.cache if kv_cache else None,
                    use_cache=kv_cache is not None,
                    output_attentions=True,
                    output_hidden_states=True,
                )
        except BaseException:
            if kv_cache:
                kv_cache.truncate(past_length)
            raise
        key_values = None
        if kv_cache:
            key_values = _new_key_values(kv_cache.layers, len(token_ids))
            kv_cache.token_ids += token_ids
        attentions = _attentions(out, (len(token_ids), past_length + len(token_ids)))
        hidden_states = _hidden_states(out)
        return ForwardOutput(
            logits=out.logits[0].float().cpu(),
            hidden_states=torch.stack(hidden_states, dim=2)[0].cpu() if hidden_states else None,  # (n, L + 1, d)
            attentions=torch.cat(attentions).cpu() if attentions else None,  # L of (1, H, n, T) -> (L, H, n, T)
            key_values=None if key_values is None else key_values.cpu(),
        )

    @torch.inference_mode()
    def run_batch(self, token_ids: Sequence[int], kv_cache: BatchKVCache) -> ForwardOutput:
        """Output of a pass over one new token for each of B texts, whose keys and values are appended to the KV cache.

        n of ForwardOutput is B here, except that `attentions` are (B, L, H, T). If the pass fails, the KV cache may be
        partly updated. Raises EngineError(`limit_steps`), see `usage.before_pass`.
        """
        usage.before_pass(len(token_ids))
        with self.lock:
            out = self.model(
                input_ids=torch.tensor([token_ids], device=self.device).T,  # (B, 1)
                past_key_values=kv_cache.cache,
                use_cache=True,
                output_attentions=True,
                output_hidden_states=True,
            )
        attentions = _attentions(out, (1, kv_cache.layers[0].length))
        hidden_states = _hidden_states(out)
        key_values = _new_key_values(kv_cache.layers, 1)
        return ForwardOutput(
            logits=out.logits[:, 0].float().cpu(),
            hidden_states=torch.cat(hidden_states, dim=1).cpu() if hidden_states else None,  # (B, L + 1, d)
            attentions=torch.stack([a[:, :, 0] for a in attentions], dim=1).cpu() if attentions else None,
            key_values=None if key_values is None else key_values.cpu(),
        )


def _rope_switch(config: Any) -> int | None:
    """Original context window of a LongRoPE model (Ding et al. 2024), beyond which its rotation factors are others."""
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    kinds = [rope, *(value for value in rope.values() if isinstance(value, dict))]  # or one for each kind of layer
    for kind in kinds:
        if kind.get("rope_type") == "longrope":
            window = kind.get("original_max_position_embeddings")
            return int(window or config.original_max_position_embeddings)
    return None


def _hidden_states(out: Any) -> tuple[Tensor, ...] | None:
    """Hidden states of all layers, (1, n, d) each; None where a family has none, or states of other shapes between."""
    states = getattr(out, "hidden_states", None)
    if not states or states[0].dim() != 3 or len({state.shape for state in states}) > 1:
        return None
    return tuple(states)


def _attentions(out: Any, shape: tuple[int, int]) -> list[Tensor]:
    """Attention weights of the layers that have them, selected by their last two dimensions (queries, keys).

    Some layers return None, and some families return another quantity under this name (RWKV, for instance).
    """
    return [a for a in getattr(out, "attentions", None) or () if a is not None and a.shape[2:] == shape]


def _new_key_values(layers: Sequence[CacheLayer], n: int) -> Tensor | None:
    """Keys and values that a pass added: (n, F), one row per token, or (B, F) for B texts with one new token each.

    None if a layer has not used its cache.
    """
    parts = []
    for layer in layers:
        if layer.new is None:
            return None
        for states in layer.new:  # (1, heads, n, dim) -> (n, heads * dim); (B, heads, 1, dim) -> (B, heads * dim)
            parts.append(states.reshape(len(states), -1) if n == 1 else states[0].transpose(0, 1).reshape(n, -1))
    return torch.cat(parts, dim=1)


def accepts_argument(hf: PreTrainedModel, argument: str) -> bool:
    """Whether the forward pass of a model has an argument of this name."""
    return argument in inspect.signature(hf.forward).parameters


def last_logits_only(hf: PreTrainedModel) -> dict[str, Any]:
    """Keyword arguments that restrict the logits to the last position, where the family supports this."""
    return {"logits_to_keep": 1} if accepts_argument(hf, "logits_to_keep") else {}
