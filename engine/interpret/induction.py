"""The induction experiment: a random token string read twice, and the head that copies its continuation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.errors import EngineError
from engine.interpret.attention_maps import attention_without_cache
from engine.interpret.head_scores import HeadDescription, describe_attention
from engine.interpret.probe_texts import repeated_random_tokens
from engine.model.model import Model


@dataclass(frozen=True, slots=True)
class InductionResult:
    """A random string of n tokens, read twice; losses are −ln of the probability of the real token, in nats.

    token_ids   the text: what the tokenizer puts before any text, the string, and the string again
    start       how many tokens stand before the string
    first       (n,) loss of its tokens the first time; None for a token that stands before all others
    second      (n,) the second time
    shuffled    (n,) of the same tokens, in the order of the string, where the second time they come in another order:
                what it helps to have seen them at all
    layer, head, score  the head that looks most at what stood after the token the first time, and how much of its
                attention that is; None for a model without attention
    at          the token of the string, counted from 0, at which that head looks most at what stood after it
    looked      (n,) its attention there, the second time, to the string as it stood the first time
    """

    token_ids: tuple[int, ...]
    start: int
    first: tuple[float | None, ...]
    second: tuple[float, ...]
    shuffled: tuple[float, ...]
    layer: int | None
    head: int | None
    score: float | None
    at: int | None
    looked: tuple[float, ...] | None

    @property
    def first_mean(self) -> float:
        """Mean loss the first time, over all tokens of the string but its first: nothing announces that one."""
        return _mean_loss(self.first)

    @property
    def second_mean(self) -> float:
        """Mean loss the second time, over the same tokens."""
        return _mean_loss(self.second)

    @property
    def shuffled_mean(self) -> float:
        """Mean loss in another order, over the same tokens."""
        return _mean_loss(self.shuffled)

    @property
    def gain(self) -> float:
        """Nats a token that the order of the first time saves: shuffled_mean − second_mean."""
        return self.shuffled_mean - self.second_mean

    @property
    def error(self) -> float:
        """Standard error of `gain`, from its spread over the tokens."""
        gains = [a - b for a, b in zip(self.shuffled[1:], self.second[1:], strict=True)]
        return float(np.std(gains, ddof=1)) / math.sqrt(len(gains))

    @property
    def copies(self) -> bool:
        """Whether the model copies: it gains from the order, by more than twice the error."""
        return self.gain > 2 * self.error


def induction_experiment(model: Model, seed: int) -> InductionResult:
    """Write a random string of ordinary tokens twice: is the second time easier, and which head looks back for it?

    Two passes, no tree. A model that copies is nearly sure of the second time; one that only remembers which tokens
    there were gains as much in any order. Method: Olsson et al. 2022, "In-context Learning and Induction Heads"; the
    other order is our control. Raises ValueError for a negative seed, EngineError(`not_finite`).
    """
    ids = repeated_random_tokens(model, seed)
    start = len(model.vocabulary.start)
    n = (len(ids) - start) // 2
    order = np.random.default_rng([seed, 1]).permutation(n)
    other = (*ids[: start + n], *(ids[start + i] for i in order))
    losses = _losses(model, ids)
    elsewhere = _losses(model, other)[start + n :]
    best: HeadDescription | None = None
    at, looked = None, None
    try:
        attention = attention_without_cache(model, ids)
        heads = [head for layer in describe_attention((attention, ids)) for head in layer]
        best = max(heads, key=lambda head: head.induction or 0.0)
        back = attention[best.layer, best.head, start + n : start + 2 * n, start : start + n]  # (n, n)
        at = int(np.diagonal(back, offset=1).argmax())
        looked = tuple(back[at].tolist())
    except EngineError as error:
        if error.code != "attention":
            raise
    return InductionResult(
        token_ids=ids,
        start=start,
        first=tuple(losses[start : start + n]),
        second=tuple(value for value in losses[start + n :] if value is not None),
        shuffled=tuple(elsewhere[i] or 0.0 for i in np.argsort(order)),
        layer=best.layer if best else None,
        head=best.head if best else None,
        score=best.induction if best else None,
        at=at,
        looked=looked,
    )


def _losses(model: Model, ids: Sequence[int]) -> list[float | None]:
    """−ln of the probability of each token after those before it; None for the first."""
    logits = model.prefix_cache.forward.run(ids, None).logits[:-1]  # (T - 1, V)
    targets = torch.tensor(ids[1:])  # (T - 1,)
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")  # (T - 1,)
    if not torch.isfinite(losses).all():
        raise EngineError("not_finite", "a loss that is not a number")
    return [None, *losses.tolist()]


def _mean_loss(losses: Sequence[float | None]) -> float:
    values = [value for value in losses[1:] if value is not None]
    return math.fsum(values) / len(values)
