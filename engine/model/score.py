"""Scores of a text under teacher forcing: log-probability, rank, loss, perplexity and bits per character."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.model.perplexity import perplexity
from engine.tokenization.unicode import characters
from engine.tokenization.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Score:
    """Teacher-forced score of a text: log-probability and rank of each token given the tokens before it.

    log_probabilities and ranks have one entry per token; those of the first token, which has no context, are None.
    Natural logarithms.
    """

    token_ids: tuple[int, ...]
    log_probabilities: tuple[float | None, ...]
    ranks: tuple[int | None, ...]

    @property
    def log_probability(self) -> float:
        """Sum of the log-probabilities of all predicted tokens, in nats."""
        return sum(value for value in self.log_probabilities if value is not None)

    @property
    def predicted(self) -> int:
        """Number of predicted tokens: those with a context, all but the first."""
        return sum(value is not None for value in self.log_probabilities)

    @property
    def loss(self) -> float:
        """Mean negative log-likelihood over the predicted tokens (the training loss), in nats; 0.0 without any."""
        return -self.log_probability / self.predicted if self.predicted else 0.0

    @property
    def perplexity(self) -> float:
        """Perplexity, exp(loss); 1.0 if no token is predicted."""
        return perplexity(self.loss)


def predicted_characters(vocabulary: Vocabulary, score: Score) -> int:
    """Number of characters completed by the predicted tokens; a character counts for the token with its last byte."""
    token_bytes = [b"" if i in vocabulary.special else vocabulary.token_bytes(i) for i in score.token_ids]
    context = sum(len(data) for data, value in zip(token_bytes, score.log_probabilities, strict=True) if value is None)
    return sum(span.stop > context and span.char is not None for span in characters(b"".join(token_bytes)))


def bits_per_character(vocabulary: Vocabulary, score: Score) -> float | None:
    """Bits per predicted character; lower is better and comparable across tokenizers. None without such characters.

    The first token has no context: neither its bits nor its characters count.
    """
    count = predicted_characters(vocabulary, score)
    return -score.log_probability / math.log(2) / count if count else None


def least_expected(score: Score, count: int) -> list[int]:
    """Positions of the `count` tokens with the lowest log-probability, lowest first; ties by position."""
    predicted = [(value, t) for t, value in enumerate(score.log_probabilities) if value is not None]
    return [t for _, t in sorted(predicted)[:count]]
