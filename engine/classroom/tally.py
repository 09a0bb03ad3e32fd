"""The class's distribution over tokens, and its scores beside the model's distribution. No model is run here.

The class's distribution gives a token the share of the answers that count as this token. With c the class's and m the
model's distribution, all logarithms to base 2, in the terms of `engine.quiz.scoring`:

  guess    mean over the answers of −log₂ m(answer): the class's bits under the model, the cross-entropy of c and m
  best     −log₂ m of the model's most probable token, the least that `guess` can be
  chance   log₂ of the vocabulary size: `guess` of a class whose answers the model does not distinguish
  truth    −log₂ m(token that follows in the text), where there is one
  spread   −Σ c log₂ c: the entropy of the class; 2 to its power is the class's perplexity, the number of equally
           frequent answers that would be as diverse. It is at most the number of answers
  model_spread  −Σ m log₂ m: the entropy of the model, to compare with `spread`
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Tokens = tuple[int, ...]  # one token, or the several of one character


@dataclass(frozen=True, slots=True)
class Bar:
    """A token in both distributions.

    votes  answers that count as it; share: of all answers
    bits   −log₂ of its probability under the model: inf for 0, None where a server does not tell it
    """

    tokens: Tokens
    text: str
    votes: int
    share: float
    bits: float | None

    @property
    def probability(self) -> float | None:
        return None if self.bits is None else 2.0**-self.bits


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Scores of a class in one round, in bits; see the module docstring. None where they are not defined.

    hits  answers equal to the true token
    """

    answers: int
    guess: float | None
    best: float
    chance: float
    truth: float | None
    spread: float
    model_spread: float
    hits: int


def bars(votes: Mapping[Tokens, int], texts: Mapping[Tokens, str], bits: Mapping[Tokens, float | None]) -> list[Bar]:
    """One bar for each token of `bits`: most votes first, of equal votes the more probable one."""
    total = sum(votes.values())
    found = [
        Bar(tokens, texts[tokens], votes.get(tokens, 0), votes.get(tokens, 0) / total if total else 0.0, value)
        for tokens, value in bits.items()
    ]
    return sorted(found, key=lambda bar: (-bar.votes, math.inf if bar.bits is None else bar.bits, bar.tokens))


def entropy_bits(counts: Sequence[int]) -> float:
    """Entropy of a distribution given by counts, in bits; 0 without any.

    >>> entropy_bits([2, 1, 1]), entropy_bits([5, 0]), entropy_bits([])
    (1.5, 0.0, 0.0)
    """
    total = sum(counts)
    return math.fsum(count / total * math.log2(total / count) for count in counts if count)


def score_class(
    found: Sequence[Bar], best: float, vocabulary: int, model_spread: float, truth: Tokens | None = None
) -> ClassScore:
    """Scores of the class whose bars are `found`; each token with a vote must have one."""
    answers = sum(bar.votes for bar in found)
    voted = [bar for bar in found if bar.votes]
    known = [bar.bits for bar in voted if bar.bits is not None]
    guess = None
    if answers and len(known) == len(voted):
        guess = math.fsum(bar.votes * bits for bar, bits in zip(voted, known, strict=True)) / answers
    return ClassScore(
        answers=answers,
        guess=guess,
        best=best,
        chance=math.log2(vocabulary),
        truth=next((bar.bits for bar in found if bar.tokens == truth), None) if truth else None,
        spread=entropy_bits([bar.votes for bar in voted]),
        model_spread=model_spread,
        hits=sum(bar.votes for bar in found if bar.tokens == truth) if truth else 0,
    )
