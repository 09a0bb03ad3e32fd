"""Autoregressive generation of one text: choose a token, append it, repeat until a stopping condition holds.

Greedy search and sampling, with the numbers of every step. Beam search is in `beam_search.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.decoding.stopping import StopReason, stop_reason
from engine.errors import PromptError
from engine.model.model import Model
from engine.sampling.distribution import Distribution, uniform
from engine.sampling.settings import Settings, Strategy, TokenOrigin


@dataclass(frozen=True)
class Step:
    """One step of generation: the chosen token, its probabilities and the distribution it was chosen from.

    token_ids        the text before the token
    token_id, text   the chosen token and its display text
    how              `greedy` or `drawn`
    u                the random number in [0, 1) that decided the draw; None for greedy
    raw              the model's probability of the token, before any filter
    probability      its probability after the filters
    log_probability  natural log of `raw`
    distribution     the distribution it was chosen from
    stop             the stop reason after this token; None where generation continues
    """

    token_ids: tuple[int, ...]
    token_id: int
    text: str
    how: TokenOrigin
    u: float | None
    raw: float
    probability: float
    log_probability: float
    distribution: Distribution = field(repr=False, compare=False)
    stop: StopReason | None = None


def choose(
    model: Model, ids: Sequence[int], strategy: Strategy, settings: Settings, seed: int
) -> tuple[Distribution, int, float | None]:
    """The distribution after `ids`, the token chosen by the strategy, and the random number used (None for greedy).

    Deterministic: the same ids, settings and seed always yield the same token.
    """
    if strategy == "greedy":
        distribution = model.distribution(ids, settings.for_greedy())
        return distribution, distribution.argmax(), None
    distribution = model.distribution(ids, settings)
    u = uniform(seed, len(ids))
    return distribution, distribution.draw(u), u


class Generation(Iterator[Step]):
    """Iterator over generation steps. `stop_reason` is the reason of the last stop, None while it continues."""

    def __init__(
        self,
        model: Model,
        ids: Sequence[int],
        strategy: Strategy,
        settings: Settings,
        seed: int,
        max_new_tokens: int,
        should_stop: Callable[[], bool],
    ) -> None:
        self.stop_reason: StopReason | None = None
        self._steps = self._run(model, tuple(ids), strategy, settings, seed, max_new_tokens, should_stop)

    def __next__(self) -> Step:
        return next(self._steps)

    def _run(
        self,
        model: Model,
        ids: tuple[int, ...],
        strategy: Strategy,
        settings: Settings,
        seed: int,
        max_new_tokens: int,
        should_stop: Callable[[], bool],
    ) -> Iterator[Step]:
        count = 0  # generated tokens
        while True:
            self.stop_reason = stop_reason(model, ids, count, max_new_tokens) or ("person" if should_stop() else None)
            if self.stop_reason:
                return
            distribution, token_id, u = choose(model, ids, strategy, settings, seed)
            output = model.records(ids)[-1]
            count += 1
            after = (*ids, token_id)
            self.stop_reason = stop_reason(model, after, count, max_new_tokens)
            yield Step(
                token_ids=ids,
                token_id=token_id,
                text=distribution.candidate(token_id).text,
                how="greedy" if u is None else "drawn",
                u=u,
                raw=float(distribution.raw[token_id]),
                probability=float(distribution.probabilities[token_id]),
                log_probability=output.log_probability(token_id),
                distribution=distribution,
                stop=self.stop_reason,
            )
            ids = after


def generate(
    model: Model,
    ids: Sequence[int],
    strategy: Strategy = "greedy",
    settings: Settings | None = None,
    seed: int = 0,
    max_new_tokens: int = 20,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generation:
    """Generate a continuation of `ids`: an iterator that yields one Step per token and then has a `stop_reason`.

    Lazy: nothing is computed before the next Step is requested. `greedy` takes the most probable token after the
    penalties, as `generate(do_sample=False)`; `sample` draws after all filters.

    Stop reasons: `end` (end-of-text token), `length` (max_new_tokens), `context` (window full), `person` (`should_stop`
    returned True before a step). Raises PromptError for ids that cannot be a prompt, ValueError for an unknown
    strategy.
    """
    if strategy not in ("greedy", "sample"):
        raise ValueError(f"strategy must be 'greedy' or 'sample', not {strategy!r}")
    if not ids:
        raise PromptError("empty", "no tokens")
    return Generation(model, ids, strategy, settings or Settings(), seed, max_new_tokens, should_stop)
