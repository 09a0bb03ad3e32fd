"""Byte pair encoding, one merge at a time (Sennrich et al. 2016).

The tokenizer itself splits the text into words and the words into initial symbols (bytes or characters). Here
neighbouring pairs are merged, in the order in which the tokenizer learned them, until no known pair is left. The
result equals that of the tokenizer. Tokenizers without merges (WordPiece, Unigram) are rejected. No model runs here.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from engine.errors import EngineError


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge of two neighbouring tokens into one.

    at           index of the left token's first symbol among the initial symbols
    right_at     index of the right token's first symbol
    rank         position in the tokenizer's list of merges, 1 for the one that was learned first
    left, right  ids of the merged tokens
    token_id     id of the resulting token
    """

    at: int
    right_at: int
    rank: int
    left: int
    right: int
    token_id: int


@dataclass(frozen=True, slots=True)
class BPEDerivation:
    """Derivation of a text's tokens from its initial symbols.

    parts   ids of the initial symbols
    words   for each symbol, the index of its word; there are no merges across words
    merges  in order of application: at every step the pair of lowest rank, the leftmost of equal ones
    """

    parts: tuple[int, ...]
    words: tuple[int, ...]
    merges: tuple[Merge, ...]

    def after(self, count: int) -> list[tuple[int, int]]:
        """Tokens after the first `count` merges, each as (index of its first symbol, id)."""
        ids: list[int | None] = list(self.parts)
        for merge in self.merges[:count]:
            ids[merge.at], ids[merge.right_at] = merge.token_id, None
        return [(index, token_id) for index, token_id in enumerate(ids) if token_id is not None]

    @property
    def ids(self) -> tuple[int, ...]:
        """Ids of the final tokens."""
        return tuple(token_id for _, token_id in self.after(len(self.merges)))


class BPEMerges:
    """Merge table of a tokenizer, with the derivation of any text. Thread-safe."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Read the merges of a tokenizer.

        Raises EngineError: `merges_wordpiece`, `merges_unigram`, `merges_other` (another kind of tokenizer),
        `merges_dropout` (BPE dropout: merges are skipped at random).
        """
        config: dict[str, Any] = json.loads(tokenizer.to_str())
        model = config["model"]
        if model["type"] != "BPE":
            code = {"WordPiece": "merges_wordpiece", "Unigram": "merges_unigram"}.get(model["type"], "merges_other")
            raise EngineError(code, f"a {model['type']} tokenizer has no merges")
        if model["dropout"]:
            raise EngineError("merges_dropout", "this tokenizer skips merges at random")
        vocabulary: dict[str, int] = model["vocab"]
        prefix = len(model["continuing_subword_prefix"] or "")
        self._table: dict[tuple[int, int], tuple[int, int]] = {}  # pair of ids: rank from 1, id of the merged token
        for rank, pair in enumerate(model["merges"], 1):
            left, right = pair.split(" ") if isinstance(pair, str) else pair
            self._table[vocabulary[left], vocabulary[right]] = rank, vocabulary[left + right[prefix:]]
        # The same tokenizer without its merges yields the initial symbols, with its own normalizer, pre-tokenizer and
        # handling of unknown characters.
        self._unmerged = Tokenizer.from_str(json.dumps(config | {"model": model | {"merges": []}}))
        self._unmerged.encode_special_tokens = tokenizer.encode_special_tokens

    @property
    def count(self) -> int:
        """Number of merges in the table."""
        return len(self._table)

    def derive(self, text: str) -> BPEDerivation:
        """Derivation of a text, without the special tokens that the tokenizer adds around it."""
        encoding = self._unmerged.encode(text, add_special_tokens=False)
        words = tuple(word for word in encoding.word_ids if word is not None)  # None only for added special tokens
        return BPEDerivation(tuple(encoding.ids), words, tuple(self._apply_merges(encoding.ids, words)))

    def _apply_merges(self, parts: Sequence[int], words: Sequence[int]) -> list[Merge]:
        """All merges of a text, in order. The heap contains candidate pairs; outdated ones are skipped when popped."""
        ids: list[int | None] = list(parts)
        following = [i + 1 for i in range(len(ids))]
        preceding = [i - 1 for i in range(len(ids))]
        heap: list[tuple[int, int, int, int, int]] = []  # rank, left index, left id, right id, merged id

        def push_pair(left: int) -> None:
            right = following[left] if left >= 0 else len(ids)
            if right < len(ids) and words[left] == words[right]:
                left_id, right_id = ids[left], ids[right]
                assert left_id is not None and right_id is not None
                if (entry := self._table.get((left_id, right_id))) is not None:
                    heapq.heappush(heap, (entry[0], left, left_id, right_id, entry[1]))

        for index in range(len(ids)):
            push_pair(index)
        merges: list[Merge] = []
        while heap:
            rank, index, left_id, right_id, token_id = heapq.heappop(heap)
            right = following[index]
            if ids[index] != left_id or right >= len(ids) or ids[right] != right_id:
                continue
            merges.append(Merge(index, right, rank, left_id, right_id, token_id))
            ids[index], ids[right] = token_id, None
            following[index] = following[right]
            if following[index] < len(ids):
                preceding[following[index]] = index
            push_pair(preceding[index])
            push_pair(index)
        return merges
