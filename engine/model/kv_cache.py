"""KV cache of one text or of a batch, preallocated and cropped in place; contiguous for the model.

`KVCache` is for one text and records its token ids; `BatchKVCache` is for several texts of equal length. Neither runs
a model: `prefix_cache.py` and `batch.py` fill them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

_INITIAL_CAPACITY = 64  # positions
_SPARE_CAPACITY = 16  # positions


class CacheLayer(CacheLayerMixin):
    """Keys and values of one layer in preallocated tensors: appending copies the new ones only.

    keys, values: (B, kv_heads, capacity, head_dim), of which the first `length` positions are filled.
    """

    is_sliding = False  # the attention mask hides positions outside a sliding window
    is_croppable = True

    def __init__(self) -> None:
        super().__init__()
        self.length = 0
        self.new: tuple[Tensor, Tensor] | None = None  # keys and values that the last pass added
        self._previous: tuple[Tensor, Tensor] | None = None  # tensors before the last reordering, for reuse by the next

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.is_initialized = True

    def reserve(self, like_keys: Tensor, like_values: Tensor, length: int) -> None:
        """Grow the capacity to at least `length` positions, with the filled ones copied.

        like_keys, like_values: tensors with the batch size, heads, head_dim, dtype and device to allocate.
        """
        old_capacity = self.keys.shape[2] if self.keys is not None else 0
        if length <= old_capacity:
            return
        batch, heads = like_keys.shape[:2]
        # Reordering a batch copies its whole capacity, so that little is allocated in advance.
        capacity = max(_INITIAL_CAPACITY, 2 * old_capacity, length) if batch == 1 else length + _SPARE_CAPACITY
        grown = [like.new_empty((batch, heads, capacity, like.shape[3])) for like in (like_keys, like_values)]
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
        """Text i becomes a copy of the former text parents[i]; parents: (B',) int64.

        Double-buffered: alternates between two tensors instead of allocating one per call.
        """
        assert self.keys is not None and self.values is not None
        current, parents = (self.keys, self.values), parents.to(self.keys.device)
        capacity = current[0].shape[2]
        if capacity > self.length + 2 * _SPARE_CAPACITY:  # the whole capacity is copied, so keep it small
            capacity = self.length + _SPARE_CAPACITY
        reordered = []
        for tensor, out in zip(current, self._previous or current, strict=True):
            shape = (len(parents), tensor.shape[1], capacity, tensor.shape[3])
            if out is tensor or out.shape != shape:
                out = tensor.new_empty(shape)
            reordered.append(torch.index_select(tensor[:, :, :capacity], 0, parents, out=out))
        self.keys, self.values = reordered
        self._previous = current

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1


class BatchKVCache:
    """KV cache of all layers for one text, or for several of equal length as a batch; on the device of the model."""

    def __init__(self, layers: int, device: torch.device) -> None:
        self.cache = Cache(layers=[CacheLayer() for _ in range(layers)])
        self._device = device

    @property
    def layers(self) -> list[CacheLayer]:
        return self.cache.layers  # type: ignore[return-value]

    @torch.inference_mode()
    def fill(self, key_values: Tensor, shapes: Sequence[tuple[int, ...]]) -> None:
        """Append keys and values that were computed earlier.

        key_values: (B, n, F); shapes: per layer (kv_heads, key_dim, value_dim).
        """
        key_values = key_values.to(self._device)
        batch, n, offset = key_values.shape[0], key_values.shape[1], 0
        for layer, (heads, key_dim, value_dim) in zip(self.layers, shapes, strict=True):
            keys = key_values[:, :, offset : offset + heads * key_dim].view(batch, n, heads, key_dim).transpose(1, 2)
            offset += heads * key_dim
            values = key_values[:, :, offset : offset + heads * value_dim]
            values = values.view(batch, n, heads, value_dim).transpose(1, 2)
            offset += heads * value_dim
            layer.update(keys, values)  # (B, heads, n, dim)


class KVCache(BatchKVCache):
    """KV cache of one text, preallocated and cropped in place; a forward pass reads it and appends to it.

    beyond_switch  whether its text is longer than `Forward.rope_switch`

    Not thread-safe; `PrefixCache` assigns each to one thread at a time.
    """

    def __init__(self, layers: int, device: torch.device, beyond_switch: bool = False) -> None:
        super().__init__(layers, device)
        self.beyond_switch = beyond_switch
        self.token_ids: list[int] = []

    def truncate(self, length: int) -> None:
        """Crop to the first `length` tokens, without copying."""
        del self.token_ids[length:]
        for layer in self.layers:
            layer.length = min(layer.length, length)

    def restore(
        self, token_ids: Sequence[int], key_values: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]
    ) -> None:
        """Append tokens whose keys and values were computed earlier; key_values: one (F,) per token."""
        if key_values:
            self.fill(torch.stack(list(key_values))[None], shapes)
            self.token_ids += token_ids
