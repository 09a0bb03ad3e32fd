"""What can be counted of texts that are written: how probable, how varied, how repetitive, at what cost.

Everything is counted over tokens, for these are what a model writes; an end-of-text token that was written counts as
one. Where there is nothing to count (an empty text, or one shorter than n) a measure is None, not 0. No
measure says that a text is good. This file knows token ids and numbers; it runs no model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

REPEATED = 4  # tokens in a row that count as a repetition; Welleck et al. 2020 report seq-rep-4


def ngrams(token_ids: Sequence[int], n: int) -> Iterator[tuple[int, ...]]:
    """All runs of n tokens, from left to right: len(token_ids) − n + 1 of them. ValueError for n < 1.

    >>> list(ngrams([7, 8, 9], 2))
    [(7, 8), (8, 9)]
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    return (tuple(token_ids[i : i + n]) for i in range(len(token_ids) - n + 1))


def distinct(texts: Sequence[Sequence[int]], n: int) -> float | None:
    """distinct-n: different n-grams ÷ all n-grams, over all the texts together; from above 0 to 1, 1 most varied.

    Of one text: `distinct([ids], n)`. Over several, two that say the same count as one that repeats itself. N-grams do
    not reach from one text into the next. Li et al. 2016, "A Diversity-Promoting Objective Function for Neural
    Conversation Models". It falls as texts get longer, so only texts of about one length can be compared.

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
    """seq-rep-n: the share of a text's n-grams that occurred before in it; from 0 to below 1, 0 is no repetition.

    Equals 1 − distinct-n of the one text. Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training".

    >>> repetition([1, 2, 1, 2, 1], 2)
    0.5
    """
    share = distinct([token_ids], n)
    return None if share is None else 1 - share


def repeated_ngrams(token_ids: Sequence[int], n: int = REPEATED) -> list[tuple[int, int]]:
    """Where a text repeats itself: spans (first, one past the last) of tokens in n-grams that occurred before in it.

    The first occurrence is not marked. Spans that overlap or touch are one; they are in order and never touch.

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
    """Of one continuation, or of several together; the prompt before it is not counted.

    tokens           how many the model wrote
    log_probability  natural log of its probability given the prompt (nats, at most 0): the sum over its tokens of the
                     model's raw belief, before any filter, whatever way they were chosen
    distinct_1, _2   see `distinct`
    repetition       of runs of `REPEATED` tokens, see `repetition`; of several texts, each run is looked for in its own
                     text alone
    """

    tokens: int
    log_probability: float
    distinct_1: float | None
    distinct_2: float | None
    repetition: float | None

    @property
    def per_token(self) -> float | None:
        """Log-probability ÷ tokens, in nats a token: comparable between texts of different lengths."""
        return self.log_probability / self.tokens if self.tokens else None

    @property
    def perplexity(self) -> float | None:
        """exp(−log-probability per token), at least 1: the geometric mean of 1 ÷ probability over the tokens.

        Jelinek et al. 1977, "Perplexity—a measure of the difficulty of speech recognition tasks". Infinite where the
        mean is too low for a float.
        """
        mean = self.per_token
        if mean is None:
            return None
        return math.exp(-mean) if mean > -700 else math.inf


def measure(*texts: tuple[Sequence[int], Sequence[float]], times: int = 1) -> Measures:
    """The measures of one continuation, or of several taken together: (token ids, log-probability of each in nats).

    times: how often each text is there. What does not draw writes the same with every seed; counted once for each, its
    distinct-n can be held against that of as many texts that were drawn.

    Raises ValueError where there is not one log-probability for each token.
    """
    for token_ids, log_probabilities in texts:
        if len(token_ids) != len(log_probabilities):
            raise ValueError(f"{len(token_ids)} tokens and {len(log_probabilities)} log-probabilities")
    written = [token_ids for token_ids, _ in texts] * times
    runs = [max(0, len(token_ids) - REPEATED + 1) for token_ids in written]
    again = [(repetition(token_ids) or 0) * count for token_ids, count in zip(written, runs, strict=True)]
    return Measures(
        tokens=sum(map(len, written)),
        log_probability=math.fsum(value for _, values in texts for value in values) * times,
        distinct_1=distinct(written, 1),
        distinct_2=distinct(written, 2),
        repetition=math.fsum(again) / sum(runs) if sum(runs) else None,
    )
