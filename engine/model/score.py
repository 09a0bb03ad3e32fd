"""Scores of a text under teacher forcing: log-probability, rank, loss, perplexity and bits per character."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.tokenization.unicode import characters
from engine.tokenization.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Score:
    """Teacher forcing: how probable each token of a text was, given what stands left of it.

    log_probabilities and ranks have one entry a token; the first token has none before it and holds None.
    Natural logarithms.
    """

    token_ids: tuple[int, ...]
    log_probabilities: tuple[float | None, ...]
    ranks: tuple[int | None, ...]

    @property
    def log_probability(self) -> float:
        """Sum over all predicted tokens, in nats."""
        return sum(value for value in self.log_probabilities if value is not None)

    @property
    def predicted(self) -> int:
        """How many tokens have something before them."""
        return sum(value is not None for value in self.log_probabilities)

    @property
    def loss(self) -> float:
        """The mean of -log p over all predicted tokens, in nats: what training makes small. 0.0 without any."""
        return -self.log_probability / self.predicted if self.predicted else 0.0

    @property
    def perplexity(self) -> float:
        """exp of the loss; 1.0 where no token is predicted."""
        return math.exp(self.loss)


def predicted_characters(vocabulary: Vocabulary, score: Score) -> int:
    """How many characters the predicted tokens finish: a character counts where its last byte stands."""
    held = [b"" if token_id in vocabulary.special else vocabulary.token_bytes(token_id) for token_id in score.token_ids]
    given = sum(len(data) for data, value in zip(held, score.log_probabilities, strict=True) if value is None)
    return sum(span.stop > given and span.char is not None for span in characters(b"".join(held)))


def bits_per_character(vocabulary: Vocabulary, score: Score) -> float | None:
    """Bits that the predicted characters cost, each: fewer is better, whatever the tokenizer. None where there is none.

    The first token has nothing before it: neither its bits nor its characters count.
    """
    count = predicted_characters(vocabulary, score)
    return -score.log_probability / math.log(2) / count if count else None


def least_expected(score: Score, count: int) -> list[int]:
    """Positions of the tokens that were the least expected, the worst first."""
    known = [(value, at) for at, value in enumerate(score.log_probabilities) if value is not None]
    return [at for _, at in sorted(known)[:count]]
