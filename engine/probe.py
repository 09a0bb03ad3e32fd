"""Texts made for experiments, in which nothing can be known but what stands there: random strings, written twice.

A fixed seed gives the same text each time. No model runs here.
"""

from __future__ import annotations

import numpy as np

from engine.model import Model
from engine.tokens import Vocabulary
from engine.types import PromptError

LENGTH = 40  # tokens of a random string; fewer where two of them do not fit the window


def ordinary(vocabulary: Vocabulary) -> list[int]:
    """Ids of the tokens that are no special ones and that a person can read alone, in order."""
    return [i for i in range(vocabulary.size) if i not in vocabulary.special and _readable(vocabulary, i)]


def _readable(vocabulary: Vocabulary, token_id: int) -> bool:
    try:
        text = vocabulary.token_bytes(token_id).decode()
    except UnicodeDecodeError:
        return False
    # The last is the name that ids get which the tokenizer lacks.
    return bool(text.strip()) and text.isprintable() and text != f"‹#{token_id}›"


def repeated(model: Model, seed: int) -> tuple[int, ...]:
    """A random string of different ordinary tokens, twice, after what the tokenizer puts before any text.

    Raises PromptError(`context`) for a window that does not take three tokens twice, ValueError for a negative seed.
    """
    start = model.vocabulary.start
    tokens = ordinary(model.vocabulary)
    n = min(LENGTH, len(tokens), (model.context_length - len(start)) // 2)
    if n < 3:
        raise PromptError("context", "no room for a string twice", count=6, most=model.context_length)
    string = np.random.default_rng(seed).choice(tokens, n, replace=False).tolist()
    return (*start, *string, *string)
