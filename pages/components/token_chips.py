"""TODO"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.tokenization.vocabulary import Vocabulary


def chips(vocabulary: Vocabulary, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Groups of tokens that a person reads together, each {whole, tokens: [[index, label, ends a line]]}.

    whole is None where one token holds it all. Under a character that fell into several tokens, these are labelled
    with the part they hold.
    """
    labels = vocabulary.pieces(ids)
    groups = []
    for first, last, whole in vocabulary.groups(ids):
        many = last - first > 1
        tokens = []
        for at in range(first, last):
            label = labels[at].removeprefix(f"{whole} ") if many else labels[at]
            ends_line = vocabulary.token_bytes(ids[at]).endswith(b"\n") and ids[at] not in vocabulary.special
            tokens.append([at, label, ends_line])
        groups.append({"whole": whole if many else None, "tokens": tokens})
    return groups
