"""Data of a text as token chips, grouped by character; drawn by `token_chips.js`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.tokenization.vocabulary import Vocabulary


def chips(vocabulary: Vocabulary, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Groups of tokens, each {whole, tokens: [[index, label, ends a line]]}; see `Vocabulary.groups`.

    `whole` is the character that several tokens encode together, and their labels are its parts; None for a group of
    one token.
    """
    labels = vocabulary.pieces(ids)
    groups = []
    for first, last, whole in vocabulary.groups(ids):
        several = last - first > 1
        tokens = []
        for i in range(first, last):
            label = labels[i].removeprefix(f"{whole} ") if several else labels[i]
            ends_line = vocabulary.token_bytes(ids[i]).endswith(b"\n") and ids[i] not in vocabulary.special
            tokens.append([i, label, ends_line])
        groups.append({"whole": whole if several else None, "tokens": tokens})
    return groups
