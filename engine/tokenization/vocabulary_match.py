"""Match of two vocabularies by the bytes of their tokens: which tokens of one write what tokens of the other write.

first:  the, cat, 天     second: cat, 天, 天氣     rows: the, cat, 天, 天氣; shared: cat, 天
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from engine.tokenization.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class VocabularyMatch:
    """Rows of two vocabularies: a row is a text that tokens of one or both of them write.

    first   (V1,) row of each token of the first vocabulary
    second  (V2,) row of each token of the second
    shared  (R,) whether both have a token for the row
    equal   whether the two vocabularies are the same, token by token; every token is then a row of its own

    Tokens of one vocabulary that write the same bytes, as `A` and `<0x41>` of SentencePiece or `at` and `##at` of
    WordPiece, are one row, except in equal vocabularies. Special tokens, which write nothing, match special tokens of
    the same name. An id that the tokenizer lacks matches nothing, except in equal vocabularies.

    WordPiece has no spaces in its tokens: `cat` matches the `cat` of GPT-2, not its ` cat`, although after a word it
    stands for the latter. Chinese characters are not affected.
    """

    first: np.ndarray
    second: np.ndarray
    shared: np.ndarray
    equal: bool


_lock = threading.Lock()
_matches: WeakKeyDictionary[Vocabulary, WeakKeyDictionary[Vocabulary, VocabularyMatch]] = WeakKeyDictionary()


def match(first: Vocabulary, second: Vocabulary) -> VocabularyMatch:
    """The match of two vocabularies, cached for as long as both exist."""
    with _lock:
        of_first = _matches.setdefault(first, WeakKeyDictionary())
        found = of_first.get(second)
        if found is None:
            found = of_first[second] = _match(first, second)
        return found


def _match(first: Vocabulary, second: Vocabulary) -> VocabularyMatch:
    keys, other_keys = _keys(first), _keys(second)
    if keys == other_keys:
        ids = np.arange(first.size)
        return VocabularyMatch(ids, ids, np.ones(first.size, dtype=bool), True)
    rows: dict[Hashable, int] = {}
    of_first = [rows.setdefault(key, len(rows)) for key in keys]
    of_second = [
        rows.setdefault(("second", key) if isinstance(key, int) else key, len(rows)) for key in other_keys
    ]  # an id without a token is an integer, which the first vocabulary may have as well
    shared = np.zeros(len(rows), dtype=int)
    for found in (of_first, of_second):
        shared[np.unique(found)] += 1
    return VocabularyMatch(np.array(of_first), np.array(of_second), shared == 2, False)


def _keys(vocabulary: Vocabulary) -> list[Hashable]:
    """For each token its bytes; ("special", name) of a special token, the id itself where the tokenizer lacks it."""
    special = vocabulary.special
    return [
        i if not vocabulary.has(i)
        else ("special", vocabulary.token_bytes(i)) if i in special
        else vocabulary.token_bytes(i)
        for i in range(vocabulary.size)
    ]  # fmt: skip
