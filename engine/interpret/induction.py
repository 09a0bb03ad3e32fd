"""Induction experiment: loss on a repeated random token string, and the attention of the strongest induction head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.errors import EngineError, not_finite_error
from engine.interpret.attention_maps import attention_without_cache
from engine.interpret.head_scores import HeadDescription, describe_attention
from engine.interpret.probe_texts import repeated_random_tokens
from engine.model.model import Model


@dataclass(frozen=True, slots=True)
class InductionResult:
    """Losses on a random string of n tokens that occurs twice; a loss is −ln of the token's probability, in nats.

    token_ids   the text: the tokenizer's start tokens, the string, and the string again
    start       number of start tokens
    first       (n,) loss of each token in the first copy; None for a token at position 0 of the text
    second      (n,) loss of each token in the second copy
    shuffled    (n,) loss of each token, in the order of the string, where the second copy is shuffled: the control for
                the gain from having seen the tokens at all
    layer, head, score  the head with the highest induction score (mean attention to the token that followed the current
                one in the first copy), and that score; None for a model without attention
    at          index in the string of the token at which that head attends most to the token's first-copy successor
    attention   (n,) the head's attention from that token in the second copy to the tokens of the first copy
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
    attention: tuple[float, ...] | None

    @property
    def first_mean(self) -> float:
        """Mean loss in the first copy, in nats per token, without the string's first token, which nothing predicts."""
        return _mean_loss(self.first)

    @property
    def second_mean(self) -> float:
        """Mean loss in the second copy, over the same tokens."""
        return _mean_loss(self.second)

    @property
    def shuffled_mean(self) -> float:
        """Mean loss in the shuffled copy, over the same tokens."""
        return _mean_loss(self.shuffled)

    @property
    def gain(self) -> float:
        """Loss reduction due to the repeated order: shuffled_mean − second_mean, in nats per token."""
        return self.shuffled_mean - self.second_mean

    @property
    def error(self) -> float:
        """Standard error of `gain` over the tokens."""
        gains = [a - b for a, b in zip(self.shuffled[1:], self.second[1:], strict=True)]
        return float(np.std(gains, ddof=1)) / math.sqrt(len(gains))

    @property
    def copies(self) -> bool:
        """Whether the model copies: `gain` is above twice its standard error."""
        return self.gain > 2 * self.error


def induction_experiment(model: Model, seed: int) -> InductionResult:
    """Losses and the strongest induction head on a random string of readable tokens that occurs twice.

    The passes bypass the prefix cache. A model that copies has a loss near 0 in the second copy; a model that
    only makes tokens it has seen more probable gains as much from a shuffled copy. Method: Olsson et al. 2022,
    "In-context Learning and Induction Heads"; the shuffled control is added here. Raises PromptError(`context`) for a
    context window that is too small, ValueError for a negative seed, EngineError(`not_finite`).
    """
    ids = repeated_random_tokens(model, seed)
    start = len(model.vocabulary.start)
    n = (len(ids) - start) // 2
    random = np.random.default_rng([seed, 1])
    order = random.permutation(n)
    while (order == np.arange(n)).all():  # of three tokens, one permutation in six changes nothing
        order = random.permutation(n)
    shuffled_ids = (*ids[: start + n], *(ids[start + i] for i in order))
    losses = _losses(model, ids)
    shuffled = _losses(model, shuffled_ids)[start + n :]
    best: HeadDescription | None = None
    at, to_first_copy = None, None
    try:
        attention = attention_without_cache(model, ids)
        heads = [head for layer in describe_attention((attention, ids)) for head in layer]
        best = max(heads, key=lambda head: head.induction or 0.0)
        to_first = attention[best.layer, best.head, start + n : start + 2 * n, start : start + n]  # (n, n)
        at = int(np.diagonal(to_first, offset=1).argmax())
        to_first_copy = tuple(to_first[at].tolist())
    except EngineError as error:
        if error.code != "attention":
            raise
    return InductionResult(
        token_ids=ids,
        start=start,
        first=tuple(losses[start : start + n]),
        second=tuple(value for value in losses[start + n :] if value is not None),
        shuffled=tuple(shuffled[i] or 0.0 for i in np.argsort(order)),
        layer=best.layer if best else None,
        head=best.head if best else None,
        score=best.induction if best else None,
        at=at,
        attention=to_first_copy,
    )


def _losses(model: Model, ids: Sequence[int]) -> list[float | None]:
    """Loss of each token given those before it, −ln p in nats; None for the first. Bypasses the prefix cache."""
    logits = model.prefix_cache.forward.run(ids, None).logits[:-1]  # (T - 1, V)
    targets = torch.tensor(ids[1:])  # (T - 1,)
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")  # (T - 1,)
    if not torch.isfinite(losses).all():
        raise not_finite_error("the losses")
    return [None, *losses.tolist()]


def _mean_loss(losses: Sequence[float | None]) -> float:
    """Mean of the losses without the first."""
    values = [value for value in losses[1:] if value is not None]
    return math.fsum(values) / len(values)
