"""Keys and values that a pass reads and appends to, contiguous for the model.

A `Buffer` holds those of one text and knows its tokens; a `Store` those of several texts side by side. Neither runs
a model; `prefix.py` and `rows.py` decide what they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

_FIRST_CAPACITY = 64
_SPARE = 16


class CacheLayer(CacheLayerMixin):
    """Keys and values of one layer in a preallocated tensor: appending copies the new ones only.

    keys, values: (B, kv_heads, capacity, head_dim), of which the first `length` positions are filled.
    """

    is_sliding = False  # the mask hides what a sliding window does not see
    is_croppable = True

    def __init__(self) -> None:
        super().__init__()
        self.length = 0
        self.new: tuple[Tensor, Tensor] | None = None  # what the pass just added
        self._other: tuple[Tensor, Tensor] | None = None  # keys and values before the last reordering

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.is_initialized = True

    def reserve(self, like_keys: Tensor, like_values: Tensor, length: int) -> None:
        """Make room for `length` positions, keeping what is there."""
        have = self.keys.shape[2] if self.keys is not None else 0
        if length <= have:
            return
        rows, heads = like_keys.shape[:2]
        # Several rows are copied whole whenever they are reordered, so they get little room to spare.
        capacity = max(_FIRST_CAPACITY, 2 * have, length) if rows == 1 else length + _SPARE
        grown = [like.new_empty((rows, heads, capacity, like.shape[3])) for like in (like_keys, like_values)]
        if self.keys is not None and self.values is not None:
            grown[0][:, :, : self.length] = self.keys[:, :, : self.length]
            grown[1][:, :, : self.length] = self.values[:, :, : self.length]
        self.keys, self.values = grown
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        start, n = self.length, key_states.shape[2]
        self.reserve(key_states, value_states, start + n)
        assert self.keys is not None and self.values is not None
        self.keys.narrow(2, start, n).copy_(key_states)
        self.values.narrow(2, start, n).copy_(value_states)
        self.new, self.length = (key_states, value_states), start + n
        return self.keys.narrow(2, 0, start + n), self.values.narrow(2, 0, start + n)

    @torch.inference_mode()
    def reorder(self, parents: Tensor) -> None:
        """Row i becomes a copy of what row parents[i] was; parents: (B',) int64. Two tensors take turns."""
        assert self.keys is not None and self.values is not None
        before = self.keys, self.values
        capacity = before[0].shape[2]
        if capacity > self.length + 2 * _SPARE:  # what is copied whole gets little room to spare
            capacity = self.length + _SPARE
        picked = []
        for tensor, other in zip(before, self._other or before, strict=True):
            shape = (len(parents), tensor.shape[1], capacity, tensor.shape[3])
            if other is tensor or other.shape != shape:
                other = tensor.new_empty(shape)
            picked.append(torch.index_select(tensor[:, :, :capacity], 0, parents, out=other))
        self.keys, self.values = picked
        self._other = before

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1


class BatchKVCache:
    """Keys and values of every layer, of one text or of several of one length side by side."""

    def __init__(self, layers: int) -> None:
        self.cache = Cache(layers=[CacheLayer() for _ in range(layers)])

    @property
    def layers(self) -> list[CacheLayer]:
        return self.cache.layers  # type: ignore[return-value]

    @torch.inference_mode()
    def fill(self, columns: Tensor, shapes: Sequence[tuple[int, ...]]) -> None:
        """Append what was computed before.

        columns: (B, n, F); shapes: per layer (kv_heads, key_dim, value_dim).
        """
        rows, n, at = columns.shape[0], columns.shape[1], 0
        for layer, (heads, key_dim, value_dim) in zip(self.layers, shapes, strict=True):
            keys = columns[:, :, at : at + heads * key_dim].view(rows, n, heads, key_dim).transpose(1, 2)
            at += heads * key_dim
            values = columns[:, :, at : at + heads * value_dim].view(rows, n, heads, value_dim).transpose(1, 2)
            at += heads * value_dim
            layer.update(keys, values)  # (B, heads, n, dim)


class KVCache(BatchKVCache):
    """Keys and values of one text, contiguous for the model: what a pass reads and appends to.

    Not safe for two threads at once; the tree lends each to one thread at a time.
    """

    def __init__(self, layers: int) -> None:
        super().__init__(layers)
        self.token_ids: list[int] = []

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` tokens. Copies nothing."""
        del self.token_ids[length:]
        for layer in self.layers:
            layer.length = min(layer.length, length)

    def restore(self, token_ids: Sequence[int], columns: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> None:
        """Append tokens whose keys and values were computed before; columns: one (F,) a token."""
        if columns:
            self.fill(torch.stack(list(columns))[None], shapes)
            self.token_ids += token_ids
