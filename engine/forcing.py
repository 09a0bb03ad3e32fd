"""Teacher forcing over a text, in words that do not depend on the tokenizer: bits a character, the worst surprises.

While a model is trained, it is given a real text and has to predict every next token of it at once; whatever it would
have said itself, it reads on from the real one (Williams and Zipser 1989). `Model.score` is that pass; here is what is
counted of it.
"""

from __future__ import annotations

import math

from engine.characters import characters
from engine.model import Model
from engine.types import Score


def predicted_characters(model: Model, score: Score) -> int:
    """How many characters the predicted tokens finish: a character counts where its last byte stands."""
    held = [
        b"" if token_id in model.vocabulary.special else model.vocabulary.token_bytes(token_id)
        for token_id in score.token_ids
    ]
    given = sum(len(data) for data, value in zip(held, score.log_probabilities, strict=True) if value is None)
    return sum(span.stop > given and span.char is not None for span in characters(b"".join(held)))


def bits_per_character(model: Model, score: Score) -> float | None:
    """Bits that the predicted characters cost, each: fewer is better, whatever the tokenizer. None where there is none.

    The first token has nothing before it: neither its bits nor its characters count.
    """
    count = predicted_characters(model, score)
    return -score.log_probability / math.log(2) / count if count else None


def worst(score: Score, count: int) -> list[int]:
    """Positions of the tokens that were the least expected, the worst first."""
    known = [(value, at) for at, value in enumerate(score.log_probabilities) if value is not None]
    return [at for _, at in sorted(known)[:count]]
