"""Several texts of one length that go on together: one pass gives each of them a token.

Beam search and many seeds at once are this. What is computed is recorded as in any other pass and hung into the
prefix tree, so looking at such a text later costs nothing. It chooses no tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.model.kv_cache import BatchKVCache
from engine.model.prefix_cache import PrefixCache
from engine.model.token_output import TokenOutput


class TextBatch:
    """Not safe for two threads at once.

    texts    the texts, all of one length
    records  what the model computed for the last token of each
    """

    def __init__(self, tree: PrefixCache, texts: Sequence[Sequence[int]]) -> None:
        """Computes what the tree lacks. Raises ValueError for no text, or texts of different length."""
        if not texts or len({len(text) for text in texts}) > 1:
            raise ValueError("rows are one or more texts of one length")
        self._tree = tree
        self.texts = [tuple(text) for text in texts]
        self.records: list[TokenOutput] = [tree.records(text)[-1] for text in self.texts]
        self._store: BatchKVCache | None = None  # built where it is needed, dropped by `release`

    def append(self, parents: Sequence[int], token_ids: Sequence[int]) -> None:
        """Row i becomes what row parents[i] was, and token_ids[i]; a row that is nobody's parent is gone.

        One batched pass; for a model that takes no buffer, one over each text. If it fails, the rows are as before.
        """
        if not parents or len(parents) != len(token_ids):
            raise ValueError("each row needs a parent and a token")
        texts = [(*self.texts[parent], token_id) for parent, token_id in zip(parents, token_ids, strict=True)]
        if self._tree.forward.uses_buffer:
            self.records = self._pass(parents, token_ids)
            for text, record in zip(texts, self.records, strict=True):
                self._tree.add(text, record)
        else:
            self.records = [self._tree.records(text)[-1] for text in texts]
        self.texts = texts

    def _pass(self, parents: Sequence[int], token_ids: Sequence[int]) -> list[TokenOutput]:
        store, self._store = self._store or self._build(), None
        if list(parents) != list(range(len(self.texts))):
            order = torch.tensor(parents)
            for layer in store.layers:
                layer.reorder(order)
        logits, hidden, rows, columns = self._tree.forward.run_rows(token_ids, store)
        self._tree.count(len(token_ids))
        self._store = store
        return [
            TokenOutput.of(
                logits[i],
                None if hidden is None else hidden[i],
                None if rows is None else rows[i],
                None if columns is None else columns[i],
            )
            for i in range(len(token_ids))
        ]

    @torch.inference_mode()
    def _build(self) -> BatchKVCache:
        """Keys and values of all rows, from the tree."""
        forward = self._tree.forward
        columns = [[r.key_values for r in self._tree.records(text) if r.key_values is not None] for text in self.texts]
        store = BatchKVCache(forward.layers)
        store.fill(torch.stack([torch.stack(of_text) for of_text in columns]), forward.shapes)  # (B, T, F)
        return store

    def release(self) -> None:
        """Give the memory of the keys and values back; they are built again when they are needed."""
        self._store = None
