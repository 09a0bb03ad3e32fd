"""Metrics of generated texts: log-probability, perplexity, distinct-n and repetition.

All metrics are computed over tokens; a generated end-of-text token counts as one. A metric is None, not 0, where it is
undefined: for an empty text, or one shorter than n. None of them measures the quality of a text. Runs no model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.model.perplexity import perplexity

REPEATED = 4  # length of the n-grams counted as repetition; Welleck et al. 2020 report seq-rep-4


def ngrams(token_ids: Sequence[int], n: int) -> Iterator[tuple[int, ...]]:
    """All n-grams of a text, from left to right: len(token_ids) − n + 1 of them. Raises ValueError for n < 1.

    >>> list(ngrams([7, 8, 9], 2))
    [(7, 8), (8, 9)]
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    return (tuple(token_ids[i : i + n]) for i in range(len(token_ids) - n + 1))


def distinct(texts: Sequence[Sequence[int]], n: int) -> float | None:
    """distinct-n: number of different n-grams ÷ number of all n-grams, over all texts, in (0, 1]; 1 is most varied.

    For one text: `distinct([ids], n)`. An n-gram that occurs in two texts counts as repeated, as within one text.
    N-grams do not cross text boundaries. None where no text has n tokens. The value falls with the length of the texts,
    so compare only texts of similar length. Li et al. 2016, "A Diversity-Promoting Objective Function for Neural
    Conversation Models".

    >>> distinct([[1, 2, 1, 2]], 2), distinct([[1, 2], [1, 2], [3, 4]], 2)
    (0.6666666666666666, 0.6666666666666666)
    """
    total, different = 0, set()
    for text in texts:
        for gram in ngrams(text, n):
            total += 1
            different.add(gram)
    return len(different) / total if total else None


def repetition(token_ids: Sequence[int], n: int = REPEATED) -> float | None:
    """seq-rep-n: fraction of a text's n-grams that occurred earlier in it, in [0, 1); 0 is no repetition.

    Equals 1 − distinct-n of the text. Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training".

    >>> repetition([1, 2, 1, 2, 1], 2)
    0.5
    """
    share = distinct([token_ids], n)
    return None if share is None else 1 - share


def repeated_ngrams(token_ids: Sequence[int], n: int = REPEATED) -> list[tuple[int, int]]:
    """Repeated spans of a text: half-open token ranges (start, stop) covered by n-grams that occurred earlier in it.

    The first occurrence is not included. Overlapping and adjacent spans are merged; the result is in order.

    >>> repeated_ngrams([1, 2, 3, 1, 2, 9, 2, 3], 2)
    [(3, 5), (6, 8)]
    """
    spans: list[tuple[int, int]] = []
    seen: set[tuple[int, ...]] = set()
    for start, gram in enumerate(ngrams(token_ids, n)):
        if gram not in seen:
            seen.add(gram)
        elif spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], start + n)
        else:
            spans.append((start, start + n))
    return spans


@dataclass(frozen=True, slots=True)
class Measures:
    """Metrics of one continuation, or of several together; the prompt is excluded.

    tokens           number of generated tokens
    log_probability  natural log of the probability given the prompt (nats, at most 0): the sum over the tokens of the
                     model's raw log-probability, before any filter, independent of the decoding strategy
    distinct_1, _2   see `distinct`
    repetition       of n-grams of `REPEATED` tokens, see `repetition`; with several texts, n-grams are compared within
                     each text only
    """

    tokens: int
    log_probability: float
    distinct_1: float | None
    distinct_2: float | None
    repetition: float | None

    @property
    def per_token(self) -> float | None:
        """Mean log-probability per token, in nats: comparable between texts of different lengths."""
        return self.log_probability / self.tokens if self.tokens else None

    @property
    def perplexity(self) -> float | None:
        """Perplexity: exp(−mean log-probability per token), at least 1; the geometric mean of 1 ÷ probability.

        Jelinek et al. 1977, "Perplexity—a measure of the difficulty of speech recognition tasks". Infinite where the
        exponential would overflow a float.
        """
        mean = self.per_token
        if mean is None:
            return None
        return perplexity(-mean)


def measure(*texts: tuple[Sequence[int], Sequence[float]], times: int = 1) -> Measures:
    """Metrics of one continuation, or of several together.

    texts: (token ids, log-probability of each token in nats) per continuation.
    times: number of times to count each text. A strategy without sampling yields the same text for every seed; counting
    it once per seed makes its distinct-n comparable with that of equally many sampled texts.

    Raises ValueError where the numbers of tokens and log-probabilities differ.
    """
    for token_ids, log_probabilities in texts:
        if len(token_ids) != len(log_probabilities):
            raise ValueError(f"{len(token_ids)} tokens and {len(log_probabilities)} log-probabilities")
    counted = [token_ids for token_ids, _ in texts] * times
    totals = [max(0, len(token_ids) - REPEATED + 1) for token_ids in counted]  # n-grams of each text
    repeated = [(repetition(token_ids) or 0) * total for token_ids, total in zip(counted, totals, strict=True)]
    return Measures(
        tokens=sum(map(len, counted)),
        log_probability=math.fsum(value for _, values in texts for value in values) * times,
        distinct_1=distinct(counted, 1),
        distinct_2=distinct(counted, 2),
        repetition=math.fsum(repeated) / sum(totals) if sum(totals) else None,
    )
