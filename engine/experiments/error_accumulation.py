"""One token forced upon a text, and what becomes of it: the same prompt written on twice, all else the same.

One way takes what the model itself chooses, the other begins with a token that somebody put there. Both go on with the
same settings and, position by position, the same drawn numbers (`sampling.uniform`), so all that differs between them
follows from that one token. Because one pair of texts is luck, several seeds are written, and the means told of all.

That a model conditions on its own mistakes and goes on from them is the compounding of errors known from imitation
learning: Ross, Gordon and Bagnell 2011, "A Reduction of Imitation Learning and Structured Prediction to No-Regret
Online Learning"; for text Bengio et al. 2015, "Scheduled Sampling for Sequence Prediction with Recurrent Neural
Networks".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate

import numpy as np

from engine.decoding.batch_generation import BatchGeneration, Continuation
from engine.decoding.strategies import BY_NAME
from engine.errors import PromptError
from engine.model.model import Model
from engine.sampling.settings import Settings, Strategy
from engine.tokenization.vocabulary import readable_token_ids

TOGETHER_AGAIN = 4  # tokens in a row that both texts must share to have come together again


@dataclass(frozen=True, slots=True)
class TextPair:
    """The two texts of one seed. Both hold the token at the fork as their first."""

    own: Continuation
    forced: Continuation


class ForcedTokenExperiment:
    """Both ways at work for several seeds, a token a step. Not safe for two threads at once.

    Raises PromptError for ids that cannot be a prompt, or a forced token outside the vocabulary (`token`).
    """

    def __init__(
        self, model: Model, ids: Sequence[int], forced: int, strategy: Strategy, settings: Settings,
        seeds: Sequence[int], max_new_tokens: int,
    ) -> None:  # fmt: skip
        if not 0 <= forced < model.vocabulary.size:
            raise PromptError("token", "a token id outside the vocabulary", size=model.vocabulary.size)
        self.ids, self.forced, self._most = tuple(ids), forced, max_new_tokens
        way = BY_NAME["sample" if strategy == "sample" else "greedy"]
        how = settings if way.draws else settings.for_greedy()
        self._own = BatchGeneration(model, ids, way, 0, seeds, max_new_tokens, how)
        self._forced = BatchGeneration(model, (*ids, forced), way, 0, seeds, max_new_tokens - 1, how)
        self._log_probability = model.records(ids)[-1].log_probability(forced)

    @property
    def done(self) -> bool:
        return self._own.done and self._forced.done

    @property
    def progress(self) -> float:
        """Share of the tokens that are written, from 0 to 1; a text that ends early makes it jump."""
        longest = max(len(text.token_ids) for text in self._own.texts)
        return 1.0 if self.done else longest / self._most

    def step(self) -> bool:
        """A token more for each text. True while more can be written. Raises EngineError."""
        self._own.step()
        self._forced.step()
        return not self.done

    def stop(self) -> None:
        """The person stops it: what is written stays."""
        self._own.stop()
        self._forced.stop()

    @property
    def pairs(self) -> list[TextPair]:
        """One a seed; one alone where nothing is drawn."""
        return [
            TextPair(own, replace(
                forced, token_ids=(self.forced, *forced.token_ids),
                log_probabilities=(self._log_probability, *forced.log_probabilities),
            ))
            for own, forced in zip(self._own.texts, self._forced.texts, strict=True)
        ]  # fmt: skip


def after_the_fork(text: Continuation) -> float | None:
    """Mean log-probability a token, in nats, of what follows the token at the fork; None where nothing does."""
    rest = text.log_probabilities[1:]
    return math.fsum(rest) / len(rest) if rest else None


def running_perplexity(text: Continuation) -> list[float]:
    """Perplexity of the first 1, 2, … tokens after the one at the fork: exp(−mean log-probability)."""
    sums = accumulate(text.log_probabilities[1:])
    return [math.exp(-total / count) for count, total in enumerate(sums, 1)]


def first_difference(pair: TextPair) -> int | None:
    """The first position, from 0, at which the texts differ; None where one is a beginning of the other."""
    both = zip(pair.own.token_ids, pair.forced.token_ids, strict=False)
    return next((i for i, (own, forced) in enumerate(both) if own != forced), None)


def together_again(pair: TextPair, least: int = TOGETHER_AGAIN) -> tuple[int, int, int] | None:
    """The longest run of tokens that both texts share after they have parted: (first in own, first in forced, length).

    It may stand at another position in one than in the other. None where it is shorter than `least`, or they never
    parted.
    """
    parted = first_difference(pair)
    if parted is None:
        return None
    own, forced = pair.own.token_ids[parted:], pair.forced.token_ids[parted:]
    run = SequenceMatcher(None, own, forced, autojunk=False).find_longest_match()
    return (run.a + parted, run.b + parted, run.size) if run.size >= least else None


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Over all seeds whose texts both go on after the fork.

    seeds   how many there are
    own     mean log-probability a token after the fork on the model's own way (nats), averaged over the seeds
    forced  the same after the forced token
    lower   in how many of them the forced way's is the lower one
    """

    seeds: int
    own: float
    forced: float
    lower: int


def summarize(pairs: Sequence[TextPair]) -> Aftermath | None:
    """What the forced token did to all that followed; None where nothing followed."""
    both = [(after_the_fork(pair.own), after_the_fork(pair.forced)) for pair in pairs]
    known = [(own, forced) for own, forced in both if own is not None and forced is not None]
    if not known:
        return None
    count = len(known)
    return Aftermath(
        seeds=count,
        own=math.fsum(own for own, _ in known) / count,
        forced=math.fsum(forced for _, forced in known) / count,
        lower=sum(forced < own for own, forced in known),
    )


def ladder(model: Model, ids: Sequence[int], likely: int = 4, steps: int = 6) -> list[int]:
    """Tokens to force, likeliest first: the `likely` likeliest, then of each power of ten from 1 in 10 down to 1 in
    10 ** steps the likeliest token that is less likely than that. Special tokens and tokens that are no whole
    characters are left out."""
    distribution = model.distribution(ids)
    allowed = np.zeros(distribution.size, dtype=bool)
    allowed[readable_token_ids(model.vocabulary)] = True
    readable = distribution.order[allowed[distribution.order]]  # likeliest first
    raw = distribution.raw[readable]
    rungs = [int((raw >= 10.0**-power).sum()) for power in range(1, steps + 1)]
    places = dict.fromkeys([*range(likely), *rungs])
    return [int(readable[place]) for place in sorted(places) if place < len(readable)]


def improbable(model: Model, ids: Sequence[int], ceiling: float = 1e-3) -> int:
    """Of the tokens of `ladder` the likeliest one below the ceiling, or the least likely where none is."""
    distribution = model.distribution(ids)
    rungs = ladder(model, ids)
    return next((i for i in rungs if distribution.raw[i] < ceiling), rungs[-1])
