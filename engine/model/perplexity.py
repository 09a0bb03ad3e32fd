"""Perplexity of a text from its mean loss. Imports nothing."""

from __future__ import annotations

import math


def perplexity(loss: float) -> float:
    """exp(loss) for a mean loss in nats per token; infinite where the exponential would overflow a float.

    >>> perplexity(0.0), perplexity(1e6)
    (1.0, inf)
    """
    return math.exp(loss) if loss < 700 else math.inf
