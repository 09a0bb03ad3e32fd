"""What a model's attention heads do: summaries of the attention of any text, and small experiments, computed live.

The summaries take attention alone. The experiments run the model on texts made for them, past the prefix tree, so that
nothing a person looked at is pushed out; where a head looks is scored by `head_kinds.py`. None of it says why a token
was predicted: see `mattered.py` for that.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch

from engine.forward import Forward
from engine.head_kinds import HeadDescription, describe_attention
from engine.model import Model
from engine.probe import repeated
from engine.types import EngineError

_SEED = 2022
_TEXT = "小貓看見小狗，小狗看見小貓。The cat saw the dog, and the dog saw the cat."


def mean(attention: np.ndarray) -> np.ndarray:
    """Mean over all layers and heads: (…, T, T) to (T, T). Rows sum to 1 where they did."""
    return attention.reshape(-1, *attention.shape[-2:]).mean(axis=0)


def rollout(attention: np.ndarray) -> np.ndarray:
    """How much of each input position could have flowed to each output position: (L, H, T, T) to (T, T), rows sum to 1.

    Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers": the heads of a layer are averaged, half of
    the identity is added for the residual stream (0.5·A + 0.5·I), rows are made to sum to 1 again, and the layers are
    multiplied, the first one rightmost. It knows nothing of values and feed-forward layers.
    """
    eye = np.eye(attention.shape[-1])
    flow = eye
    for layer in attention.astype(np.float64):  # (H, T, T)
        mixed = 0.5 * layer.mean(axis=0) + 0.5 * eye  # (T, T)
        flow = mixed / mixed.sum(axis=-1, keepdims=True) @ flow
    return flow.astype(attention.dtype)


def sink(attention: np.ndarray) -> np.ndarray:
    """Share of attention that rows t ≥ 1 put on position 0: (L, H, T, T) to (L, H), from 0 to 1.

    0 for a text of one token, of which no row is counted.
    """
    if attention.shape[-1] == 1:
        return np.zeros(attention.shape[:2], dtype=attention.dtype)
    return attention[:, :, 1:, 0].mean(axis=-1)


_lock = threading.Lock()
_described: WeakKeyDictionary[Forward, list[list[HeadDescription]]] = WeakKeyDictionary()


def describe(model: Model) -> list[list[HeadDescription]]:
    """[layer][head]: what each head does on a fixed probe; computed once a model.

    The probe is a random string of ordinary tokens, written twice, and a short text in two languages. `same` and
    `induction` live off the first, where a token's neighbours mean nothing. Layers are those that have attention.
    Raises EngineError(`attention`) for a model that has none, `not_finite`.
    """
    with _lock:
        known = _described.get(model.tree.forward)
    if known is None:
        text = model.encode(_TEXT)[: model.context_length]
        known = describe_attention(*((_attention(model, ids), ids) for ids in (repeated(model, _SEED), text)))
        with _lock:
            _described[model.tree.forward] = known
    return known


def previous_token_head(model: Model) -> tuple[int, int, float]:
    """(layer, head, score): the head that looks most at the token before, and how much of its attention that is.

    It is the best there is, which need not be good: the score says. Raises as `describe`.
    """
    best = max((head for layer in describe(model) for head in layer), key=lambda head: head.previous)
    return best.layer, best.head, best.previous


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
    ids = repeated(model, seed)
    start = len(model.vocabulary.start)
    n = (len(ids) - start) // 2
    order = np.random.default_rng([seed, 1]).permutation(n)
    other = (*ids[: start + n], *(ids[start + i] for i in order))
    losses = _losses(model, ids)
    elsewhere = _losses(model, other)[start + n :]
    best: HeadDescription | None = None
    at, looked = None, None
    try:
        attention = _attention(model, ids)
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


def _attention(model: Model, ids: Sequence[int]) -> np.ndarray:
    """(L, H, T, T) as `Model.attention`, computed past the tree."""
    rows = model.tree.forward.run(ids, None).rows
    if rows is None:
        raise EngineError("attention", f"{model.name} computes no attention")
    if not torch.isfinite(rows).all():
        raise EngineError("not_finite", "attention that is not a number")
    return rows.float().numpy()


def _losses(model: Model, ids: Sequence[int]) -> list[float | None]:
    """−ln of the probability of each token after those before it; None for the first."""
    logits = model.tree.forward.run(ids, None).logits[:-1]  # (T - 1, V)
    targets = torch.tensor(ids[1:])  # (T - 1,)
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")  # (T - 1,)
    if not torch.isfinite(losses).all():
        raise EngineError("not_finite", "a loss that is not a number")
    return [None, *losses.tolist()]


def _mean_loss(losses: Sequence[float | None]) -> float:
    values = [value for value in losses[1:] if value is not None]
    return math.fsum(values) / len(values)
