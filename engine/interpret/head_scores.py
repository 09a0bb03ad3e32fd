"""Where a head looks: a score for each known kind of head, and the name of the kind that stands out.

Attention and token ids go in; no model runs here, `heads.py` has texts to measure a model's own heads on. A score says
where a head looks, not what it is for: Jain and Wallace 2019, "Attention is not Explanation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["induction", "same", "previous", "self", "first"]

# How far above an even head's a score must be, as a share of the way from there to 1, for a head to be called so.
STANDS_OUT = 0.4


@dataclass(frozen=True, slots=True)
class HeadDescription:
    """What one head looks at, measured over rows t ≥ 1 (row 0 sees itself alone); attention shares from 0 to 1.

    previous   mean attention to position t − 1
    first      to position 0: a sink, where heads rest that find nothing (Xiao et al. 2024, "Efficient Streaming
               Language Models with Attention Sinks")
    self       to position t
    same       to earlier tokens equal to the one at t; over the rows that have such, None where none has
    induction  to the tokens that stood after those: [A][B] … [A] → [B] (Olsson et al. 2022, "In-context Learning and
               Induction Heads"); over the same rows, less those whose only such token is the one at t
    entropy    of the rows, mean, in nats; ln(t + 1) would be even
    kind       the description that stands out, or None: see `kind_of`
    """

    layer: int
    head: int
    previous: float
    first: float
    self: float
    same: float | None
    induction: float | None
    entropy: float
    kind: Kind | None


def describe_attention(*texts: tuple[np.ndarray, Sequence[int]]) -> list[list[HeadDescription]]:
    """[layer][head]: the scores of each head, over the rows of all texts together.

    texts: attention (L, H, T, T) and the T token ids that it belongs to. Raises ValueError where no text has two
    tokens.
    """
    scores: dict[Kind, list[np.ndarray]] = {name: [] for name in _PLACES}
    chances: dict[Kind, list[np.ndarray]] = {name: [] for name in _PLACES}
    entropies: list[np.ndarray] = []
    for attention, ids in texts:
        rows = attention.astype(np.float64)[:, :, 1:]  # (L, H, T - 1, T)
        entropies.append(-(rows * np.log(np.where(rows > 0, rows, 1))).sum(-1))  # (L, H, T - 1)
        for name, places in _places(ids).items():
            there = places[1:].any(-1)  # (T - 1,) rows that have such a place
            scores[name].append((rows * places[1:]).sum(-1)[:, :, there])  # (L, H, n)
            chances[name].append(_even(places)[1:][there])  # (n,)
    if not sum(part.shape[-1] for part in entropies):
        raise ValueError("a head is described by texts of two tokens or more")
    entropy = np.concatenate(entropies, axis=-1).mean(-1)  # (L, H)
    score = {name: _mean(np.concatenate(parts, axis=-1)) for name, parts in scores.items()}
    chance = {name: float(np.concatenate(parts).mean()) for name, parts in chances.items() if score[name] is not None}

    def one(layer: int, head: int) -> HeadDescription:
        of = {name: None if value is None else float(value[layer, head]) for name, value in score.items()}
        return HeadDescription(layer, head, **of, entropy=float(entropy[layer, head]), kind=classify_head(of, chance))  # type: ignore[arg-type]

    return [[one(layer, head) for head in range(entropy.shape[1])] for layer in range(entropy.shape[0])]


def classify_head(scores: Mapping[Kind, float | None], chances: Mapping[Kind, float]) -> Kind | None:
    """The name that a head is called by, or None.

    A score counts as (score − chance) ÷ (1 − chance), where chance is what a head gets that looks evenly at all it may
    see; it must be at least STANDS_OUT. The highest one names the head, but `first` only where no other does: a head
    that finds nothing to do rests on the first position, which says little about what it does elsewhere.
    """
    above: dict[Kind, float] = {
        name: (value - chances[name]) / (1 - chances[name])
        for name, value in scores.items()
        if value is not None and chances[name] < 1
    }
    standing = {name: value for name, value in above.items() if value >= STANDS_OUT}
    others = {name: value for name, value in standing.items() if name != "first"} or standing
    return max(others, key=lambda name: others[name]) if others else None


_PLACES: tuple[Kind, ...] = ("previous", "first", "self", "same", "induction")


def _places(ids: Sequence[int]) -> dict[Kind, np.ndarray]:
    """(T, T) bool for each score: whether a row t looks there at position j."""
    token = np.array(ids)
    t, j = np.indices((len(ids), len(ids)))
    same = (token[:, None] == token) & (j < t)
    after = np.zeros_like(same)
    after[:, 1:] = same[:, :-1]
    return {
        "previous": j == t - 1,
        "first": (j == 0) & (t > 0),
        "self": j == t,
        "same": same,
        "induction": after & (j < t),
    }


def _even(places: np.ndarray) -> np.ndarray:
    """(T,) what each row of an even head puts on places (T, T)."""
    return places.sum(-1) / np.arange(1, len(places) + 1)


def _mean(values: np.ndarray) -> np.ndarray | None:
    """Over the last axis, (L, H, n) to (L, H); None for n = 0."""
    return values.mean(-1) if values.shape[-1] else None
