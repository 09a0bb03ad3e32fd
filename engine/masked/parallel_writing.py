"""Writing in parallel by a masked model: all places begin hidden, and each pass uncovers the surest of them.

Each pass computes all hidden places at once, each without knowing what the others will be; of their tokens those with
the highest probabilities stay, and the next pass sees them. So masked diffusion models write (LLaDA, Nie et al. 2025;
MaskGIT, Chang et al. 2022). With remasking, the least sure token of the earlier passes is hidden again in each pass
(compare ReMDM, Wang et al. 2025). With as many passes as places it is one token a pass, but in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import EngineError
from engine.masked.masked_model import MaskedModel
from engine.sampling.settings import Strategy

MOST_PLACES = 32


@dataclass(frozen=True, slots=True)
class WritingPass:
    """State after a pass.

    tokens     token id of each place, None where it is hidden
    uncovered  places that this pass uncovered; hidden: those that it hid again
    """

    tokens: tuple[int | None, ...]
    uncovered: tuple[int, ...]
    hidden: tuple[int, ...] = ()


class ParallelWriting:
    """Incremental writing of some places after a prompt; a step is one pass. Deterministic by its seed.

    done    whether all places are uncovered, or the writing was stopped
    passes  the state after each pass

    `greedy` takes the most probable token of each place, `sample` draws it at temperature 1. Raises EngineError:
    `places` for more than MOST_PLACES, or for more passes than places; `context`, `not_finite`.
    """

    def __init__(
        self, model: MaskedModel, ids: tuple[int, ...], places: int, passes: int, strategy: Strategy, seed: int,
        remask: bool = False,
    ) -> None:  # fmt: skip
        if not 1 <= passes <= places <= MOST_PLACES:
            raise EngineError("places", f"{places} places in {passes} passes", most=MOST_PLACES)
        self._model, self._ids, self._count, self._all = model, ids, places, passes
        self._strategy, self._remask = strategy, remask
        self._random = np.random.default_rng(seed)
        model.check_length((*ids, *[model.mask] * places))
        self._tokens: list[int | None] = [None] * places
        self._sureness = np.zeros(places)  # probability of each token when it was uncovered
        self.passes: list[WritingPass] = []
        self.done = False

    @property
    def progress(self) -> float:
        """Fraction of the passes that are done."""
        return 1.0 if self.done else len(self.passes) / self._all

    @property
    def token_ids(self) -> tuple[int, ...]:
        """Tokens of the places that are uncovered, in order."""
        return tuple(token for token in self._tokens if token is not None)

    def step(self) -> bool:
        """Run one pass. True while more remain."""
        if self.done:
            return False
        hidden = [at for at, token in enumerate(self._tokens) if token is None]
        whole = (*self._ids, *(self._model.mask if token is None else token for token in self._tokens))
        values = self._model.log_probabilities(whole, [len(self._ids) + at for at in hidden])  # (n, V)
        chosen = [self._choose(row) for row in values]
        sureness = np.exp([row[token] for row, token in zip(values, chosen, strict=True)])
        left = self._all - len(self.passes)  # passes, with this one
        target = round(self._count * (len(self.passes) + 1) / self._all)
        again = self._remask and left > 1 and len(hidden) < self._count
        count = min(len(hidden), target - (self._count - len(hidden)) + again)
        order = np.argsort(-sureness, kind="stable")[:count]
        for index in order:
            self._tokens[hidden[index]], self._sureness[hidden[index]] = chosen[index], sureness[index]
        uncovered = tuple(sorted(hidden[index] for index in order))
        self.passes.append(WritingPass(tuple(self._tokens), uncovered, self._hide_again(uncovered) if again else ()))
        self.done = len(self.passes) == self._all
        return not self.done

    def _choose(self, log_probabilities: np.ndarray) -> int:
        if self._strategy == "greedy":
            return int(log_probabilities.argmax())
        cumulative = np.cumsum(np.exp(log_probabilities))
        return int(np.searchsorted(cumulative, self._random.random() * cumulative[-1], side="right"))

    def _hide_again(self, uncovered: tuple[int, ...]) -> tuple[int, ...]:
        """Hide the least sure token of the earlier passes."""
        earlier = [at for at, token in enumerate(self._tokens) if token is not None and at not in uncovered]
        if not earlier:
            return ()
        least = min(earlier, key=lambda at: (self._sureness[at], at))
        self._tokens[least] = None
        return (least,)

    def stop(self) -> None:
        """End the writing."""
        self.done = True
