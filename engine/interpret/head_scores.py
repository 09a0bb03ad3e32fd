"""Scores of attention heads for known attention patterns, and classification of heads by these scores.

Input is attention and token ids; runs no model. `heads.py` measures a model's heads on probe texts. A score describes
the attention pattern of a head, not its function: Jain and Wallace 2019, "Attention is not Explanation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["induction", "duplicate_token", "previous", "self", "first"]

# Minimum normalized score, (score − chance) ÷ (1 − chance), for a head to be classified as a kind.
MIN_NORMALIZED_SCORE = 0.4


@dataclass(frozen=True, slots=True)
class HeadDescription:
    """Attention scores of one head, from 0 to 1, as means over the rows t ≥ 1 (row 0 attends to itself only).

    previous         attention to position t − 1
    first            attention to position 0, the attention sink of heads whose pattern does not apply (Xiao et al.
                     2024, "Efficient Streaming Language Models with Attention Sinks")
    self             attention to position t
    duplicate_token  attention to earlier tokens equal to the one at t; mean over the rows with such a token, None if
                     there is no such row
    induction        attention to the tokens that follow those earlier ones: [A][B] … [A] → [B] (Olsson et al. 2022,
                     "In-context Learning and Induction Heads"); mean over the same rows, without those whose only such
                     token is at t itself; None if there is no such row
    entropy          mean entropy of the rows, in nats; that of uniform attention is ln(t + 1)
    kind             the kind of head, or None: see `classify_head`
    """

    layer: int
    head: int
    previous: float
    first: float
    self: float
    duplicate_token: float | None
    induction: float | None
    entropy: float
    kind: Kind | None


def describe_attention(*texts: tuple[np.ndarray, Sequence[int]]) -> list[list[HeadDescription]]:
    """Scores of all heads, [layer][head], averaged over the rows of all texts together.

    texts: attention (L, H, T, T) and its T token ids, per text. Raises ValueError where no text has two tokens.
    """
    scores: dict[Kind, list[np.ndarray]] = {name: [] for name in _KINDS}
    chances: dict[Kind, list[np.ndarray]] = {name: [] for name in _KINDS}
    entropies: list[np.ndarray] = []
    for attention, ids in texts:
        rows = attention.astype(np.float64)[:, :, 1:]  # (L, H, T - 1, T)
        entropies.append(-(rows * np.log(np.where(rows > 0, rows, 1))).sum(-1))  # (L, H, T - 1)
        for name, targets in _target_positions(ids).items():
            valid = targets[1:].any(-1)  # (T - 1,) rows that have a target
            scores[name].append((rows * targets[1:]).sum(-1)[:, :, valid])  # (L, H, n)
            chances[name].append(_uniform_score(targets)[1:][valid])  # (n,)
    if not sum(part.shape[-1] for part in entropies):
        raise ValueError("a head is described by texts of two tokens or more")
    entropy = np.concatenate(entropies, axis=-1).mean(-1)  # (L, H)
    score = {name: _mean_over_rows(np.concatenate(parts, axis=-1)) for name, parts in scores.items()}
    chance = {name: float(np.concatenate(parts).mean()) for name, parts in chances.items() if score[name] is not None}

    def describe_head(layer: int, head: int) -> HeadDescription:
        own = {name: None if value is None else float(value[layer, head]) for name, value in score.items()}
        return HeadDescription(layer, head, **own, entropy=float(entropy[layer, head]), kind=classify_head(own, chance))  # type: ignore[arg-type]

    return [[describe_head(layer, head) for head in range(entropy.shape[1])] for layer in range(entropy.shape[0])]


def classify_head(scores: Mapping[Kind, float | None], chances: Mapping[Kind, float]) -> Kind | None:
    """Kind of a head by its scores, or None.

    Scores are normalized to (score − chance) ÷ (1 − chance), where chance is the score of uniform attention. The kind
    with the highest normalized score of at least MIN_NORMALIZED_SCORE is chosen. `first` is chosen only if no other
    kind reaches it: heads attend to the first position wherever their pattern does not apply, so a high `first` reveals
    little about the pattern itself.
    """
    normalized: dict[Kind, float] = {
        name: (value - chances[name]) / (1 - chances[name])
        for name, value in scores.items()
        if value is not None and chances[name] < 1
    }
    high = {name: value for name, value in normalized.items() if value >= MIN_NORMALIZED_SCORE}
    eligible = {name: value for name, value in high.items() if name != "first"} or high
    return max(eligible, key=lambda name: eligible[name]) if eligible else None


_KINDS: tuple[Kind, ...] = ("previous", "first", "self", "duplicate_token", "induction")


def _target_positions(ids: Sequence[int]) -> dict[Kind, np.ndarray]:
    """(T, T) bool for each score: whether position j is a target of row t."""
    token = np.array(ids)
    t, j = np.indices((len(ids), len(ids)))
    same = (token[:, None] == token) & (j < t)
    after = np.zeros_like(same)
    after[:, 1:] = same[:, :-1]
    return {
        "previous": j == t - 1,
        "first": (j == 0) & (t > 0),
        "self": j == t,
        "duplicate_token": same,
        "induction": after & (j < t),
    }


def _uniform_score(targets: np.ndarray) -> np.ndarray:
    """(T,) attention of each row to its targets (T, T) under uniform causal attention."""
    return targets.sum(-1) / np.arange(1, len(targets) + 1)


def _mean_over_rows(values: np.ndarray) -> np.ndarray | None:
    """Mean over the last axis, (L, H, n) -> (L, H); None for n = 0."""
    return values.mean(-1) if values.shape[-1] else None
