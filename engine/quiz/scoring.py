"""Scores of the next-token guessing game: surprisal in bits and hits, by round and averaged over a game.

Surprisal is −log₂ of a raw probability, at least 0 bits; after Shannon 1951, "Prediction and entropy of printed
English". Four values a round:

  guess   surprisal of the player's guess under the model; independent of whether the guess is right
  truth   surprisal of the token that follows in the text; its mean over questions is the model's cross-entropy
  best    surprisal of the model's most probable token, the minimum over all guesses
  chance  log₂ of the vocabulary size: surprisal of every token under a uniform distribution

2 to the power of a mean in bits is a perplexity: the size of a uniform distribution of the same uncertainty. Hits are
counted separately: a hit is a guess equal to the token that follows. No model is run here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guess:
    """A possible next token with its surprisal; several tokens only if they encode one character together.

    text  display text
    bits  −log₂ of its probability; inf for probability 0
    """

    token_ids: tuple[int, ...]
    text: str
    bits: float

    @property
    def probability(self) -> float:
        return 2.0**-self.bits


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one round; see the module docstring.

    vocabulary  vocabulary size
    options     number of options of a multiple-choice question; 0 if the guess was typed
    """

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
        """Surprisal of every token under a uniform distribution, in bits."""
        return math.log2(self.vocabulary)


@dataclass(frozen=True, slots=True)
class GameScore:
    """Mean surprisals over all rounds, in bits, and numbers of hits.

    chance_hits  expected number of hits for uniformly random guesses
    """

    rounds: int
    guess: float
    truth: float
    best: float
    chance: float
    hits: int
    model_hits: int
    chance_hits: float


def score_game(outcomes: Sequence[Outcome]) -> GameScore:
    """Score of a game. Raises ValueError for no outcomes."""
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
    """2 ** bits; infinity from 2 ** 1000 on, near the largest float.

    >>> perplexity(3.0), perplexity(2000.0)
    (8.0, inf)
    """
    return 2.0**bits if bits < 1000 else math.inf
