"""How the bundled model learned: what was recorded of it while it was trained, at moments spaced by powers.

Nothing here is computed again: the loss of a moment is that of the one batch of text before it, in nats a token, and of
each prompt the likeliest tokens and their probabilities were written down from the weights of that moment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from engine.bundled import BUNDLED


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One look at the model.

    step   optimiser steps made until then
    loss   of the batch of that step; None before the first
    likeliest  by prompt: (token id, probability) of the likeliest next tokens, likeliest first
    """

    step: int
    loss: float | None
    likeliest: dict[str, tuple[tuple[int, float], ...]]

    def probability(self, prompt: str, token_id: int) -> float | None:
        """Of a token after a prompt; None where it was not among those that were written down."""
        return dict(self.likeliest[prompt]).get(token_id)


@dataclass(frozen=True, slots=True)
class Learned:
    """top: how many tokens were written down each time. moments: the first before any training."""

    top: int
    moments: tuple[Checkpoint, ...]

    @property
    def prompts(self) -> tuple[str, ...]:
        return tuple(self.moments[0].likeliest)


@cache
def training_history() -> Learned:
    """The record of the bundled model."""
    written = json.loads((BUNDLED / "learning.json").read_text("utf-8"))
    moments = tuple(
        Checkpoint(m["step"], m["loss"], {p: tuple((i, v) for i, v in rows) for p, rows in m["prompts"].items()})
        for m in written["moments"]
    )
    return Learned(written["top"], moments)
