"""Batch of texts of equal length: one forward pass appends one token to each.

Used by beam search and by sampling with several seeds. The outputs are added to the prefix cache, so that a later
request for one of these texts needs no pass. Tokens are chosen by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.model.kv_cache import BatchKVCache
from engine.model.prefix_cache import PrefixCache
from engine.model.token_output import TokenOutput


class TextBatch:
    """Batch of texts of equal length, extended by one token each. Not thread-safe.

    texts    token ids of each text
    outputs  TokenOutput of the last token of each text
    """

    def __init__(self, prefix_cache: PrefixCache, texts: Sequence[Sequence[int]]) -> None:
        """Compute outputs that the prefix cache lacks. Raises ValueError for no texts, or texts of unequal length."""
        if not texts or len({len(text) for text in texts}) > 1:
            raise ValueError("a batch needs one or more texts of one length")
        self._prefix_cache = prefix_cache
        self.texts = [tuple(text) for text in texts]
        self.outputs: list[TokenOutput] = [prefix_cache.records(text)[-1] for text in self.texts]
        self._kv_cache: BatchKVCache | None = None  # built on demand, dropped by `release`
        self._extended: tuple[list[tuple[int, ...]], list[TokenOutput]] = ([], [])  # of an unfinished `extend`

    def append(self, parents: Sequence[int], token_ids: Sequence[int]) -> None:
        """Text i becomes the former texts[parents[i]] followed by token_ids[i]; texts without a child are dropped.

        One batched pass; for a model without KV cache support, or beyond its `rope_switch`, one pass per text. If it
        fails, the texts and outputs are unchanged. Raises ValueError for no parents, or a number of tokens that differs
        from theirs.
        """
        while not self.extend(parents, token_ids):
            pass

    def extend(self, parents: Sequence[int], token_ids: Sequence[int]) -> bool:
        """One pass of `append`, and whether it was the last. While it returns False, call it with the same arguments.

        The texts and outputs change with the last pass.
        """
        if not parents or len(parents) != len(token_ids):
            raise ValueError("each text needs a parent and a token")
        texts = [(*self.texts[parent], token_id) for parent, token_id in zip(parents, token_ids, strict=True)]
        forward = self._prefix_cache.forward
        if forward.supports_kv_cache and not self._prefix_cache.is_beyond_switch(len(texts[0])):
            self.outputs = self._forward(parents, token_ids)
            for text, output in zip(texts, self.outputs, strict=True):
                self._prefix_cache.add(text, output)
            self.texts = texts
            return True
        if self._extended[0] != texts:
            self._extended = texts, []
        outputs = self._extended[1]
        outputs.append(self._prefix_cache.records(texts[len(outputs)])[-1])
        if len(outputs) < len(texts):
            return False
        self.texts, self.outputs, self._extended = texts, outputs, ([], [])
        return True

    @property
    def extended(self) -> float:
        """Fraction of the passes of an unfinished `extend` that are done, from 0 to 1."""
        texts, outputs = self._extended
        return len(outputs) / len(texts) if texts else 0.0

    def _forward(self, parents: Sequence[int], token_ids: Sequence[int]) -> list[TokenOutput]:
        # Dropped while in use: a pass that fails leaves it partly updated, and it is then built again.
        kv_cache, self._kv_cache = self._kv_cache or self._build_kv_cache(), None
        if list(parents) != list(range(len(self.texts))):
            order = torch.tensor(parents)
            for layer in kv_cache.layers:
                layer.reorder(order)
        logits, hidden_states, attentions, key_values = self._prefix_cache.forward.run_batch(token_ids, kv_cache)
        self._prefix_cache.count(len(token_ids))
        self._kv_cache = kv_cache
        outputs = [
            TokenOutput.of(
                logits[i],
                None if hidden_states is None else hidden_states[i],
                None if attentions is None else attentions[i],
                None if key_values is None else key_values[i],
            )
            for i in range(len(token_ids))
        ]
        self._prefix_cache.logits.attach(outputs, batch=True)
        return outputs

    @torch.inference_mode()
    def _build_kv_cache(self) -> BatchKVCache:
        """Keys and values of all texts, from the prefix cache."""
        forward = self._prefix_cache.forward
        key_values = [
            [output.key_values for output in self._prefix_cache.records(text) if output.key_values is not None]
            for text in self.texts
        ]
        kv_cache = BatchKVCache(forward.layers, forward.device)
        kv_cache.fill(torch.stack([torch.stack(of_text) for of_text in key_values]), forward.kv_shapes)  # (B, T, F)
        return kv_cache

    def release(self) -> None:
        """Free the memory of the keys and values; the next `append` builds them again."""
        self._kv_cache = None
