"""Probe texts for experiments on attention heads: random token strings, repeated once.

Random tokens carry no meaning, so a model can predict the second copy only from the first. A fixed seed always yields
the same text. Runs no model.
"""

from __future__ import annotations

import numpy as np

from engine.errors import PromptError
from engine.model.model import Model

LENGTH = 40  # tokens of the random string; fewer where two copies do not fit the context window


def repeated_random_tokens(model: Model, seed: int) -> tuple[int, ...]:
    """Token ids of a random string of distinct readable tokens, twice, after the tokenizer's own start tokens.

    Raises PromptError(`context`) for a context window too small for two copies of three tokens, ValueError for a
    negative seed.
    """
    start = model.vocabulary.start
    tokens = model.vocabulary.readable_ids
    n = min(LENGTH, len(tokens), (model.context_length - len(start)) // 2)
    if n < 3:
        raise PromptError("context", "no room for two copies of a string", count=6, most=model.context_length)
    string = np.random.default_rng(seed).choice(tokens, n, replace=False).tolist()
    return (*start, *string, *string)
