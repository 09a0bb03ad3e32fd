"""What rounds of guessing the next token are worth: bits, hits, means.

Measured in bits (−log₂ of a raw probability, at least 0); the ancestor is Shannon 1951, "Prediction and entropy of
printed English":

  guess   how little the model expected what the person guessed; it does not say whether the guess is right
  truth   how little the model expected what really comes next: its mean over places is the model's cross-entropy
  best    the model's likeliest token, the fewest bits that any guess can have
  chance  log₂ of the vocabulary: what a model that knows nothing would give to every token

2 to the power of a mean in bits is a perplexity: as unsure as among so many equally likely tokens. Who is right is
counted apart: a hit is a guess that is the very token that comes next. This file runs no model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guess:
    """Something that could come next. Several tokens only where they are parts of one character.

    text  what a person reads      bits  −log₂ of its probability; inf where the model rules it out
    """

    token_ids: tuple[int, ...]
    text: str
    bits: float

    @property
    def probability(self) -> float:
        return 2.0**-self.bits


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one round came to; see the top of this file. `options`: how many there were to choose from, 0 if typed."""

    guess: Guess
    truth: Guess
    best: Guess
    vocabulary: int
    options: int

    @property
    def hit(self) -> bool:
        return self.guess.token_ids == self.truth.token_ids

    @property
    def model_hit(self) -> bool:
        return self.best.token_ids == self.truth.token_ids

    @property
    def chance(self) -> float:
        """Bits that every token has in a uniform distribution."""
        return math.log2(self.vocabulary)


@dataclass(frozen=True, slots=True)
class GameScore:
    """Means in bits over all rounds, and hits; `chance_hits` is how many blind guesses would have on average."""

    rounds: int
    guess: float
    truth: float
    best: float
    chance: float
    hits: int
    model_hits: int
    chance_hits: float


def score_game(outcomes: Sequence[Outcome]) -> GameScore:
    """Raises ValueError where there is nothing to count."""
    if not outcomes:
        raise ValueError("no rounds were played")
    n = len(outcomes)
    return GameScore(
        rounds=n,
        guess=math.fsum(o.guess.bits for o in outcomes) / n,
        truth=math.fsum(o.truth.bits for o in outcomes) / n,
        best=math.fsum(o.best.bits for o in outcomes) / n,
        chance=math.fsum(o.chance for o in outcomes) / n,
        hits=sum(o.hit for o in outcomes),
        model_hits=sum(o.model_hit for o in outcomes),
        chance_hits=math.fsum(1 / (o.options or o.vocabulary) for o in outcomes),
    )


def perplexity(bits: float) -> float:
    """2 ** bits; infinite where that is too large for a float.

    >>> perplexity(3.0), perplexity(2000.0)
    (8.0, inf)
    """
    return 2.0**bits if bits < 1000 else math.inf
