"""Byte pair encoding, one merge at a time: what a tokenizer does to a text before any model sees it.

The tokenizer itself cuts the text into words and the words into their smallest parts (bytes or characters); here the
pairs are joined, in the order in which the tokenizer learned them, until no pair is left (Sennrich et al. 2016). The
result equals the tokenizer's own. Tokenizers that do not merge (WordPiece, Unigram) are refused. It runs no model.
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
    """Two neighbours become one token.

    at           index of the left one among the smallest parts; the right one is the next that still stands
    right_at     index of the right one
    rank         place in the tokenizer's list of merges, 1 for the one that was learned first
    left, right, token_id  what was joined, and what it became
    """

    at: int
    right_at: int
    rank: int
    left: int
    right: int
    token_id: int


@dataclass(frozen=True, slots=True)
class BPEDerivation:
    """A text on its way to tokens.

    parts   ids of its smallest parts
    words   for each part, the number of the word it is in: nothing is ever joined across words
    merges  in the order in which they are made: at every step the pair that was learned first, the leftmost of equals
    """

    parts: tuple[int, ...]
    words: tuple[int, ...]
    merges: tuple[Merge, ...]

    def after(self, count: int) -> list[tuple[int, int]]:
        """(index of its first part, id) of every token that stands after so many merges."""
        ids: list[int | None] = list(self.parts)
        for merge in self.merges[:count]:
            ids[merge.at], ids[merge.right_at] = merge.token_id, None
        return [(at, token_id) for at, token_id in enumerate(ids) if token_id is not None]

    @property
    def ids(self) -> tuple[int, ...]:
        """The tokens in the end."""
        return tuple(token_id for _, token_id in self.after(len(self.merges)))


class BPEMerges:
    """The merges of a tokenizer, ready to be replayed. Safe for many threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Raises EngineError: `merges_wordpiece`, `merges_unigram`, `merges_other` (another kind of tokenizer),
        `merges_dropout` (merges are left out at random)."""
        written: dict[str, Any] = json.loads(tokenizer.to_str())
        model = written["model"]
        if model["type"] != "BPE":
            code = {"WordPiece": "merges_wordpiece", "Unigram": "merges_unigram"}.get(model["type"], "merges_other")
            raise EngineError(code, f"a {model['type']} tokenizer merges nothing")
        if model["dropout"]:
            raise EngineError("merges_dropout", "this tokenizer leaves merges out at random")
        vocabulary: dict[str, int] = model["vocab"]
        prefix = len(model["continuing_subword_prefix"] or "")
        self._merges: dict[tuple[int, int], tuple[int, int]] = {}  # pair of ids: rank from 1, id of both together
        for rank, pair in enumerate(model["merges"], 1):
            left, right = pair.split(" ") if isinstance(pair, str) else pair
            self._merges[vocabulary[left], vocabulary[right]] = rank, vocabulary[left + right[prefix:]]
        # The same tokenizer without its merges gives the smallest parts: its normaliser, its splitting into words, its
        # way with unknown characters are its own.
        self._unmerged = Tokenizer.from_str(json.dumps(written | {"model": model | {"merges": []}}))
        self._unmerged.encode_special_tokens = tokenizer.encode_special_tokens

    @property
    def count(self) -> int:
        """How many pairs the tokenizer has learned to join."""
        return len(self._merges)

    def replay(self, text: str) -> BPEDerivation:
        """Every merge that cuts this text, without the marks that the tokenizer puts around it."""
        found = self._unmerged.encode(text, add_special_tokens=False)
        words = tuple(word for word in found.word_ids if word is not None)  # only added marks are in none
        return BPEDerivation(tuple(found.ids), words, tuple(self._merge(found.ids, words)))

    def _merge(self, parts: Sequence[int], words: Sequence[int]) -> list[Merge]:
        """All merges of a text. A heap holds every pair that can be joined; pairs that are gone are skipped."""
        ids: list[int | None] = list(parts)
        after = [i + 1 for i in range(len(ids))]
        before = [i - 1 for i in range(len(ids))]
        waiting: list[tuple[int, int, int, int, int]] = []  # rank, left index, left id, right id, id of both

        def look(left: int) -> None:
            right = after[left] if left >= 0 else len(ids)
            if right < len(ids) and words[left] == words[right]:
                one, other = ids[left], ids[right]
                assert one is not None and other is not None
                if (known := self._merges.get((one, other))) is not None:
                    heapq.heappush(waiting, (known[0], left, one, other, known[1]))

        for at in range(len(ids)):
            look(at)
        made: list[Merge] = []
        while waiting:
            rank, at, left, right, token_id = heapq.heappop(waiting)
            right_at = after[at]
            if ids[at] != left or right_at >= len(ids) or ids[right_at] != right:
                continue
            made.append(Merge(at, right_at, rank, left, right, token_id))
            ids[at], ids[right_at] = token_id, None
            after[at] = after[right_at]
            if after[at] < len(ids):
                before[after[at]] = at
            look(before[at])
            look(at)
        return made
