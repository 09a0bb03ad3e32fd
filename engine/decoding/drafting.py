"""Drafters of speculative decoding: quick guesses at the next tokens, which the model then checks in one pass.

`ModelDrafter` predicts with a cheaper model: the first layers of the model itself (early exit, as in Zhang et al. 2024,
"Draft & Verify"), or another model with the same vocabulary (Leviathan et al. 2023). `LookupDrafter` copies what
followed the last tokens where they stood before in the text (prompt lookup, Saxena 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.decoding.cached_text import CachedText, first_layers
from engine.errors import EngineError
from engine.model.model import Model
from engine.sampling.distribution import Distribution

Predict = Callable[[Sequence[int], np.ndarray], Distribution]  # of a text and the logits (V,) after it
Choose = Callable[[Distribution, int], int]  # a token of a distribution at a position of the text

LONGEST_MATCH = 3  # tokens


@dataclass(frozen=True)
class Draft:
    """One guess: a token and the distribution it was chosen from; None where it is certain, as a copied token is."""

    token_id: int
    distribution: Distribution | None

    @property
    def probability(self) -> float:
        """Probability that the drafter gave the token, after the filters."""
        return 1.0 if self.distribution is None else float(self.distribution.probabilities[self.token_id])


class Drafter(Protocol):
    """Source of guesses; `text` is None for a drafter without a model."""

    text: CachedText | None

    def draft(self, ids: Sequence[int], count: int, predict: Predict, choose: Choose) -> list[Draft]:
        """At most `count` guesses at what follows `ids`, each given those before it."""


class ModelDrafter:
    """Guesses by a cheaper model, one pass a guess."""

    def __init__(self, text: CachedText, end_ids: Collection[int]) -> None:
        self.text: CachedText | None = text
        self._passes, self._end_ids = text, frozenset(end_ids)

    def draft(self, ids: Sequence[int], count: int, predict: Predict, choose: Choose) -> list[Draft]:
        """See `Drafter`. Nothing is guessed after an end-of-text token."""
        drafts: list[Draft] = []
        after = list(ids)
        while len(drafts) < count and not (drafts and drafts[-1].token_id in self._end_ids):
            distribution = predict(after, self._passes.logits(after)[0].numpy())
            drafts.append(Draft(choose(distribution, len(after)), distribution))
            after.append(drafts[-1].token_id)
        return drafts


class LookupDrafter:
    """Guesses copied from the text itself: what followed the last tokens where they stood before."""

    text: CachedText | None = None

    def draft(self, ids: Sequence[int], count: int, predict: Predict, choose: Choose) -> list[Draft]:
        """See `Drafter`. The longest match counts, of several the last; no guess where there is none."""
        text = tuple(ids)
        for length in range(min(LONGEST_MATCH, len(text) - 1), 0, -1):
            end = text[-length:]
            for start in range(len(text) - length - 1, -1, -1):
                if text[start : start + length] == end:
                    return [Draft(token_id, None) for token_id in text[start + length : start + length + count]]
        return []


def layer_drafter(model: Model, layers: int) -> ModelDrafter:
    """Drafter of the model's own first layers, at least 1 and fewer than all. Raises EngineError(`lens`)."""
    forward = model.prefix_cache.forward
    if not 1 <= layers < forward.layers:
        raise ValueError(f"layers must be from 1 to {forward.layers - 1}")
    return ModelDrafter(CachedText(forward, first_layers(forward, layers), layers), model.end_ids)


def model_drafter(model: Model, other: Model) -> ModelDrafter:
    """Drafter of another model. Raises EngineError(`draft_vocabulary`) unless both have the same tokens."""
    if not same_vocabulary(model, other):
        raise EngineError("draft_vocabulary", f"{other.name} has other tokens than {model.name}")
    return ModelDrafter(CachedText(other.prefix_cache.forward), model.end_ids)


def same_vocabulary(model: Model, other: Model) -> bool:
    """Whether two models have the same tokens under the same ids."""
    a, b = model.vocabulary, other.vocabulary
    return a.size == b.size and all(a.token_bytes(i) == b.token_bytes(i) for i in range(a.size))
