"""Token by token: choose one, append it, ask again, until something says stop.

The loop itself, with every step's numbers. Beam search keeps several texts at once and is not here.
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
    """One token that was chosen.

    token_ids        the text before it
    token_id, text   the token, and what a person reads for it
    how              `greedy` or `drawn`
    u                the number in [0, 1) that was drawn; None for greedy
    raw              what the model believed of this token
    probability      its probability after the filters
    log_probability  natural log of `raw`
    distribution     the whole of what it was chosen from
    stop             why generation stopped after this token; None where it goes on
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
    """The distribution after `ids`, the token that the strategy takes, and the number it drew (None for greedy).

    Same ids, settings and seed: same token, always.
    """
    if strategy == "greedy":
        distribution = model.distribution(ids, settings.for_greedy())
        return distribution, distribution.likeliest(), None
    distribution = model.distribution(ids, settings)
    u = uniform(seed, len(ids))
    return distribution, distribution.draw(u), u


class Generation(Iterator[Step]):
    """An iterator of steps; when it is exhausted, `stop_reason` says why."""

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
        made = 0
        while True:
            self.stop_reason = stop_reason(model, ids, made, max_new_tokens) or ("person" if should_stop() else None)
            if self.stop_reason:
                return
            distribution, token_id, u = choose(model, ids, strategy, settings, seed)
            record = model.records(ids)[-1]
            made += 1
            after = (*ids, token_id)
            self.stop_reason = stop_reason(model, after, made, max_new_tokens)
            yield Step(
                token_ids=ids,
                token_id=token_id,
                text=distribution.candidate(token_id).text,
                how="greedy" if u is None else "drawn",
                u=u,
                raw=float(distribution.raw[token_id]),
                probability=float(distribution.probabilities[token_id]),
                log_probability=record.log_probability(token_id),
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
    """Continue `ids`: an iterator that yields a Step a token, then tells `stop_reason`.

    Greedy takes the likeliest token after the penalties, as `generate(do_sample=False)`; sample draws after all
    filters. Stops: `end` (end-of-text token), `length` (max_new_tokens), `context` (window full), `person`
    (`should_stop` said so). Raises PromptError for ids that cannot be a prompt, ValueError for an unknown strategy.
    """
    if strategy not in ("greedy", "sample"):
        raise ValueError(f"strategy must be 'greedy' or 'sample', not {strategy!r}")
    if not ids:
        raise PromptError("empty", "no tokens")
    return Generation(model, ids, strategy, settings or Settings(), seed, max_new_tokens, should_stop)
