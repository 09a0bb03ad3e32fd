"""Error accumulation: two continuations of one prompt, one of them with a forced first token.

One text starts with the token that the model chooses, the other with a given token (the fork is this first position).
Both continue with the same settings and the same random numbers at each position (`sampling.distribution.uniform`), so
every difference between them is caused by that one token. A single pair is a noisy estimate, so several seeds are
generated and averaged.

A model that conditions on its own mistakes accumulates errors, as described for imitation learning: Ross, Gordon and
Bagnell 2011, "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning"; for text
Bengio et al. 2015, "Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from itertools import accumulate

import numpy as np

from engine.decoding.batch_generation import BatchGeneration, Continuation
from engine.decoding.strategies import BY_NAME
from engine.errors import PromptError
from engine.model.model import Model
from engine.model.perplexity import perplexity
from engine.sampling.settings import Settings, Strategy

MIN_COMMON_RUN = 4  # consecutive common tokens from which two texts count as having converged again


@dataclass(frozen=True, slots=True)
class TextPair:
    """The two continuations of one seed. The first token of each is the one at the fork."""

    own: Continuation
    forced: Continuation


class ForcedTokenExperiment:
    """Incremental generation of the free and the forced continuation for several seeds, one pass a step.

    Not thread-safe. Raises PromptError for ids that cannot be a prompt, or a forced token outside the vocabulary
    (`token`).
    """

    def __init__(
        self, model: Model, ids: Sequence[int], forced: int, strategy: Strategy, settings: Settings,
        seeds: Sequence[int], max_new_tokens: int,
    ) -> None:  # fmt: skip
        if not 0 <= forced < model.vocabulary.size:
            raise PromptError("token", "a token id outside the vocabulary", size=model.vocabulary.size)
        self.ids, self.forced, self._max_new_tokens = tuple(ids), forced, max_new_tokens
        decoding = BY_NAME["sample" if strategy == "sample" else "greedy"]
        applied = settings if decoding.draws else settings.for_greedy()
        self._own = BatchGeneration(model, ids, decoding, 0, seeds, max_new_tokens, applied)
        self._forced = BatchGeneration(model, (*ids, forced), decoding, 0, seeds, max_new_tokens - 1, applied)
        self._model = model

    @property
    def done(self) -> bool:
        return self._own.done and self._forced.done

    @property
    def progress(self) -> float:
        """Fraction of the work that is done, from 0 to 1; jumps ahead where texts end early."""
        return (self._own.progress + self._forced.progress) / 2

    def step(self) -> bool:
        """Run one forward pass, for the free texts and the forced ones in turn. True while any text can continue.

        Raises EngineError.
        """
        unfinished = [generation for generation in (self._own, self._forced) if not generation.done]
        if unfinished:
            min(unfinished, key=lambda generation: generation.progress).step()
        return not self.done

    def stop(self) -> None:
        """End the experiment early; the tokens generated so far remain available."""
        self._own.stop()
        self._forced.stop()

    @property
    def pairs(self) -> list[TextPair]:
        """One pair a seed; a single pair for greedy decoding. All texts are empty until the prompt is computed."""
        if not any(text.token_ids for text in self._own.texts):
            return [TextPair(own, own) for own in self._own.texts]
        return [
            TextPair(own, replace(
                forced, token_ids=(self.forced, *forced.token_ids),
                log_probabilities=(self._log_probability, *forced.log_probabilities),
            ))
            for own, forced in zip(self._own.texts, self._forced.texts, strict=True)
        ]  # fmt: skip

    @cached_property
    def _log_probability(self) -> float:
        """Log-probability of the forced token."""
        return self._model.records(self.ids)[-1].log_probability(self.forced)


def mean_log_probability(text: Continuation) -> float | None:
    """Mean log-probability, in nats, of the tokens after the fork; None if there are none."""
    rest = text.log_probabilities[1:]
    return math.fsum(rest) / len(rest) if rest else None


def running_perplexity(text: Continuation) -> list[float]:
    """Perplexity of the first 1, 2, … tokens after the fork: exp(−mean log-probability)."""
    sums = accumulate(text.log_probabilities[1:])
    return [perplexity(-total / count) for count, total in enumerate(sums, 1)]


def first_difference(pair: TextPair) -> int | None:
    """First position, from 0, at which the texts differ; None if one is a prefix of the other."""
    both = zip(pair.own.token_ids, pair.forced.token_ids, strict=False)
    return next((i for i, (own, forced) in enumerate(both) if own != forced), None)


def common_run(pair: TextPair, least: int = MIN_COMMON_RUN) -> tuple[int, int, int] | None:
    """Longest run of tokens common to both texts after their first difference: (start in own, start in forced, length).

    The two starts may differ. None if the run is shorter than `least` or the texts do not differ.
    """
    start = first_difference(pair)
    if start is None:
        return None
    own, forced = pair.own.token_ids[start:], pair.forced.token_ids[start:]
    run = SequenceMatcher(None, own, forced, autojunk=False).find_longest_match()
    return (run.a + start, run.b + start, run.size) if run.size >= least else None


@dataclass(frozen=True, slots=True)
class ForkSummary:
    """Log-probabilities after the fork, over the seeds for which both texts continue after it.

    seeds   number of such seeds
    own     mean log-probability of a token after the fork in the free text (nats), averaged over the seeds
    forced  the same for the text with the forced token
    lower   number of seeds for which the forced text has the lower mean
    """

    seeds: int
    own: float
    forced: float
    lower: int


def summarize(pairs: Sequence[TextPair]) -> ForkSummary | None:
    """Means over the pairs; None if no pair has tokens after the fork in both texts."""
    means = [(mean_log_probability(pair.own), mean_log_probability(pair.forced)) for pair in pairs]
    valid = [(own, forced) for own, forced in means if own is not None and forced is not None]
    if not valid:
        return None
    count = len(valid)
    return ForkSummary(
        seeds=count,
        own=math.fsum(own for own, _ in valid) / count,
        forced=math.fsum(forced for _, forced in valid) / count,
        lower=sum(forced < own for own, forced in valid),
    )


def forced_token_candidates(model: Model, ids: Sequence[int], likely: int = 4, steps: int = 6) -> list[int]:
    """Token ids to force, at descending orders of magnitude of probability.

    The `likely` most probable tokens, then for each threshold 10^-1, …, 10^-steps the most probable token below it.
    Sorted by descending probability. Special tokens and tokens that are not whole characters are excluded.
    """
    distribution = model.distribution(ids)
    allowed = np.zeros(distribution.size, dtype=bool)
    allowed[model.vocabulary.readable_ids] = True
    readable = distribution.order[allowed[distribution.order]]  # by descending probability
    raw = distribution.raw[readable]
    first_below = [int((raw >= 10.0**-power).sum()) for power in range(1, steps + 1)]
    ranks = {*range(likely), *first_below}
    return [int(readable[rank]) for rank in sorted(ranks) if rank < len(readable)]


def improbable_token(model: Model, ids: Sequence[int], ceiling: float = 1e-3) -> int:
    """Most probable candidate below the probability `ceiling`, the least probable one if none is below."""
    distribution = model.distribution(ids)
    candidates = forced_token_candidates(model, ids)
    return next((i for i in candidates if distribution.raw[i] < ceiling), candidates[-1])
