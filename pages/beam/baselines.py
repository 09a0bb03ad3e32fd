"""Baselines of a beam search: greedy search, and the best of several samples, under the same score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.decoding.strategies import BY_NAME
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation
    from engine.decoding.beam_search import BeamSearch


SEEDS = tuple(range(1, 9))


@dataclass(frozen=True)
class Baselines:
    """The best beam and both baselines, with their scores.

    A score is the raw log-probability (nats, before any penalty) ÷ length ** length_penalty.
    """

    beam: Continuation
    greedy: Continuation
    sampled: Continuation
    scores: tuple[float, float, float]


def compute_baselines(search: BeamSearch) -> Baselines:
    """Baselines of a search that has stopped with finished beams; the samples are unfiltered, one for each of `SEEDS`.

    Each text has at most `search.most` tokens.
    """
    from engine.decoding.batch_generation import BatchGeneration, Continuation

    winner, first = search.sequences[0].token_ids, len(search.ids)
    outputs = search.model.records(winner[:-1])  # of its own tokens alone: a server may not know those of the prompt
    log_probabilities = tuple(outputs[at - 1].log_probability(winner[at]) for at in range(first, len(winner)))
    beam = Continuation(None, winner[first:], log_probabilities)

    def generate(strategy: str) -> list[Continuation]:
        generation = BatchGeneration(search.model, search.ids, BY_NAME[strategy], 0, SEEDS, search.most)
        while generation.step():
            pass
        return generation.texts

    def score(text: Continuation) -> float:
        return sum(text.log_probabilities) / len(text.token_ids) ** search.settings.length_penalty

    greedy, sampled = generate("greedy")[0], max(generate("sample"), key=score)
    return Baselines(beam, greedy, sampled, (score(beam), score(greedy), score(sampled)))


class BaselineCache:
    """Baselines of the search that is shown, computed once, and whether that has failed."""

    def __init__(self) -> None:
        self._computed: tuple[BeamSearch, Baselines] | None = None
        self._failed: BeamSearch | None = None

    def knows(self, search: BeamSearch | None) -> bool:
        """Whether the baselines of the search have been computed."""
        return self._computed is not None and self._computed[0] is search

    def failed(self, search: BeamSearch | None) -> bool:
        """Whether the baselines of the search could not be computed."""
        return self._failed is search

    def of(self, search: BeamSearch) -> Baselines:
        """Baselines of a search that has stopped with finished beams. Raises EngineError if they cannot be computed."""
        if self._computed is None or self._computed[0] is not search:
            try:
                self._computed = search, compute_baselines(search)
            except EngineError:
                self._failed = search
                raise
        return self._computed[1]
