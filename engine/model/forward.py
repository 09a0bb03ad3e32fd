"""One pass of a `transformers` model over new tokens, with everything recorded that the app shows.

A pass takes the tokens that are new and a buffer that holds the keys and values of those before them. It returns,
for each new token, the logits after it, its hidden state after every layer, its attention row of every layer and
head, and its own keys and values. It keeps nothing itself: `prefix.py` decides what is kept.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask, sdpa_mask
from transformers.models.llama.modeling_llama import eager_attention_forward as llama_attention

from engine import usage
from engine.model.kv_cache import BatchKVCache, CacheLayer, KVCache

# Families whose eager attention is, to the byte code, this formula: softmax(q·kᵀ·scaling + mask)·v.
_PLAIN = llama_attention.__code__.co_code
RECORDING_ATTENTION = "recorded"  # name of the attention implementation below


class ForwardOutput(NamedTuple):
    """What one pass over n new tokens computed; T = tokens before them + n, L layers, H heads, d hidden size.

    logits   (n, V)
    hidden   (n, L + 1, d), or None: what enters the first layer, then what leaves each one (the last after the final
             norm), as `output_hidden_states`
    rows     (L, H, n, T), or None for a model without attention: `output_attentions`
    columns  (n, F), or None for a model that cannot use a buffer: keys and values of all layers, one row a token
    """

    logits: Tensor
    hidden_states: Tensor | None
    attentions: Tensor | None
    key_values: Tensor | None


@lru_cache(maxsize=64)
def _eager_attention(family: str) -> tuple[Callable[..., Any], bool]:
    """The eager attention of a module of `transformers`, and whether it is the plain formula."""
    eager = sys.modules[family].eager_attention_forward
    return eager, eager.__code__.co_code == _PLAIN


def _recorded_attention(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, Tensor]:
    """The model family's own eager attention, which returns its weights; for one new token in fewer steps.

    query: (B, H, n, dim); key, value: (B, kv_heads, T, dim). Returns (B, n, H, dim) and weights (B, H, n, T).
    """
    eager, plain = _eager_attention(type(module).__module__)
    if query.shape[2] > 1 or attention_mask is not None or not plain:
        return eager(module, query, key, value, attention_mask, **kwargs)
    rows, heads, kv_heads = query.shape[0], query.shape[1], key.shape[1]
    grouped = query.view(rows, kv_heads, heads // kv_heads, -1)  # (B, kv_heads, group, dim): a group shares its keys
    weights = torch.softmax(torch.matmul(grouped, key.transpose(2, 3)).mul_(kwargs["scaling"]), dim=-1)
    output = torch.matmul(weights, value)  # (B, kv_heads, group, dim)
    return output.view(rows, 1, heads, -1), weights.view(rows, heads, 1, -1)


def _recorded_mask(**kwargs: Any) -> Tensor | None:
    """No mask where a single new token may see all before it (building one costs as much as a layer)."""
    if kwargs["q_length"] == 1 and sdpa_mask(**{**kwargs, "allow_is_causal_skip": True}) is None:
        return None
    return eager_mask(**kwargs)


AttentionInterface.register(RECORDING_ATTENTION, _recorded_attention)
AttentionMaskInterface.register(RECORDING_ATTENTION, _recorded_mask)


class Forward:
    """A model made ready for recorded passes. Many threads may call it at once, each with its own buffer."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        config = model.config.get_text_config(decoder=True)
        self.layers: int = config.num_hidden_layers
        # State-space and other recurrent models fold the past into a state that cannot be cut back: they get whole
        # texts. So does a family that does not take our buffer (found out by trying).
        self.uses_buffer = not getattr(model, "_is_stateful", False)
        self.shapes: list[tuple[int, ...]] = []  # per layer (kv_heads, key_dim, value_dim)
        self._probe()

    def _probe(self) -> None:
        """One pass over a token: learns the shapes of keys and values, and warms the model up."""
        if self.uses_buffer:
            buffer = KVCache(self.layers)
            try:
                self.run([0], buffer)
            except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError):
                self.uses_buffer = False
            if any(layer.new is None for layer in buffer.layers):
                self.uses_buffer = False
        if self.uses_buffer:
            self.shapes = [
                (layer.keys.shape[1], layer.keys.shape[3], layer.values.shape[3])  # type: ignore[union-attr]
                for layer in buffer.layers
            ]
        else:
            self.run([0], None)

    @torch.inference_mode()
    def run(self, token_ids: Sequence[int], buffer: KVCache | None) -> ForwardOutput:
        """A pass over the new `token_ids`; with a buffer they follow what it holds, and are appended to it.

        If the pass fails, the buffer is as before. Raises EngineError(`limit_steps`), see `door.passed`.
        """
        usage.before_pass(len(token_ids))
        before = len(buffer.token_ids) if buffer else 0
        ids = torch.tensor([token_ids], dtype=torch.long, device=self.model.device)  # (1, n)
        try:
            out = self.model(
                input_ids=ids,
                past_key_values=buffer.cache if buffer else None,
                use_cache=buffer is not None,
                output_attentions=True,
                output_hidden_states=True,
            )
        except BaseException:
            if buffer:
                buffer.truncate(before)
            raise
        columns = None
        if buffer:
            columns = _columns(buffer.layers, len(token_ids))
            buffer.token_ids += token_ids
        attentions = _attentions(out, (len(token_ids), before + len(token_ids)))
        hidden = getattr(out, "hidden_states", None)
        return ForwardOutput(
            logits=out.logits[0].float(),
            hidden_states=torch.stack(hidden, dim=2)[0] if hidden else None,  # (n, L + 1, d)
            attentions=torch.cat(attentions) if attentions else None,  # L of (1, H, n, T) -> (L, H, n, T)
            key_values=columns,
        )

    @torch.inference_mode()
    def run_rows(self, token_ids: Sequence[int], store: BatchKVCache) -> ForwardOutput:
        """A pass over one new token for each row of the store, to which they are appended.

        Its n is the number of rows; its `rows` are (n, L, H, T). Raises EngineError(`limit_steps`), see `door.passed`.
        """
        usage.before_pass(len(token_ids))
        out = self.model(
            input_ids=torch.tensor([token_ids], device=self.model.device).T,  # (B, 1)
            past_key_values=store.cache,
            use_cache=True,
            output_attentions=True,
            output_hidden_states=True,
        )
        attentions = _attentions(out, (1, store.layers[0].length))
        hidden = getattr(out, "hidden_states", None)
        return ForwardOutput(
            logits=out.logits[:, 0].float(),
            hidden_states=torch.cat(hidden, dim=1) if hidden else None,  # (B, L + 1, d)
            attentions=torch.stack([a[:, :, 0] for a in attentions], dim=1) if attentions else None,
            key_values=_columns(store.layers, 1),
        )


def _attentions(out: Any, square: tuple[int, int]) -> list[Tensor]:
    """Attention of the layers that have it. Some give none, and some call another thing so (RWKV's, for instance)."""
    return [a for a in getattr(out, "attentions", None) or () if a is not None and a.shape[2:] == square]


def _columns(layers: Sequence[CacheLayer], n: int) -> Tensor | None:
    """(n, F): the keys and values that a pass added, one row a token; (B, F) of B texts that got one token each."""
    parts = []
    for layer in layers:
        if layer.new is None:
            return None
        for states in layer.new:  # (1, heads, n, dim) -> (n, heads * dim); (B, heads, 1, dim) -> (B, heads * dim)
            parts.append(states.reshape(len(states), -1) if n == 1 else states[0].transpose(0, 1).reshape(n, -1))
    return torch.cat(parts, dim=1)


def accepts_argument(hf: PreTrainedModel, argument: str) -> bool:
    """Whether a family's forward pass has an argument of that name."""
    return argument in inspect.signature(hf.forward).parameters


def last_logits_only(hf: PreTrainedModel) -> dict[str, Any]:
    """Arguments that ask for the logits of the last position alone, where the family can be asked."""
    return {"logits_to_keep": 1} if accepts_argument(hf, "logits_to_keep") else {}
