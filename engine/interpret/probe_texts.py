"""Texts made for experiments, in which nothing can be known but what stands there: random strings, written twice.

A fixed seed gives the same text each time. No model runs here.
"""

from __future__ import annotations

import numpy as np

from engine.errors import PromptError
from engine.model.model import Model
from engine.tokenization.vocabulary import readable_token_ids

LENGTH = 40  # tokens of a random string; fewer where two of them do not fit the window


def repeated_random_tokens(model: Model, seed: int) -> tuple[int, ...]:
    """A random string of different ordinary tokens, twice, after what the tokenizer puts before any text.

    Raises PromptError(`context`) for a window that does not take three tokens twice, ValueError for a negative seed.
    """
    start = model.vocabulary.start
    tokens = readable_token_ids(model.vocabulary)
    n = min(LENGTH, len(tokens), (model.context_length - len(start)) // 2)
    if n < 3:
        raise PromptError("context", "no room for a string twice", count=6, most=model.context_length)
    string = np.random.default_rng(seed).choice(tokens, n, replace=False).tolist()
    return (*start, *string, *string)
