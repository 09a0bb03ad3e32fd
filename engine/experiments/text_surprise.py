"""Surprise of one text under two models, in bits per character of the same characters.

Each model predicts the text token by token, and cuts it differently. The sums of bits are comparable where they are of
the same characters after the same context: from a position on where both have a token boundary and both predict.

    first:  Tod|ay| the    second: ⟨start⟩|Today| the    compared: ` the`, given `Today`
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import not_finite_error
from engine.model.model import Model


@dataclass(frozen=True, slots=True)
class TextSurprise:
    """Surprise of `text[start:]` given `text[:start]`, in bits per character, under two models."""

    start: int
    characters: int
    first: float
    second: float


def unknown_parts(model: Model, text: str) -> list[str]:
    """Parts of a text that a vocabulary cannot write, for which the tokenizer has an unknown token instead."""
    ids, spans = model.encode(text), model.vocabulary.spans(text)
    at = range(len(model.vocabulary.start), len(ids))
    return [text[slice(*spans[i])] for i in at if ids[i] in model.vocabulary.special]


def surprise(first: Model, second: Model, text: str) -> TextSurprise | None:
    """Surprise of the longest part of a text that can be compared; None if there is none.

    None also where one vocabulary cannot write the text: an unknown token stands for any character, so its probability
    is not that of the text. Raises EngineError(`not_finite`) for a text that a model holds impossible, and PromptError
    as `Model.score`.
    """
    if unknown_parts(first, text) or unknown_parts(second, text):
        return None
    edges = _edges(first, text), _edges(second, text)
    common = [position for position in edges[0].keys() & edges[1].keys() if position < len(text)]
    if not common:
        return None
    start = min(common)
    count = len(text) - start
    bits = [_bits(model, text, edge[start]) / count for model, edge in zip((first, second), edges, strict=True)]
    return TextSurprise(start, count, *bits)


def _edges(model: Model, text: str) -> dict[int, int]:
    """Characters at which a predicted token begins, with the position of the token.

    Where a tokenizer drops white space, as WordPiece does, every place in it is such an edge.
    """
    found: dict[int, int] = {}
    stop = 0
    for position, (start, end) in enumerate(model.vocabulary.spans(text)):
        if position > 0 and position >= len(model.vocabulary.start):
            found = dict.fromkeys(range(stop, start + 1), position) | found  # the first of tokens without characters
        stop = max(stop, end)
    return found


def _bits(model: Model, text: str, position: int) -> float:
    """Bits of the tokens from a position on."""
    values = model.score(model.encode(text)).log_probabilities[position:]
    total = -math.fsum(value for value in values if value is not None) / math.log(2)
    if not math.isfinite(total):
        raise not_finite_error("the log-probabilities of the text")
    return total
