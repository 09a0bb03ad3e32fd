"""Spearman rank correlation, the agreement of two token attributions. Runs no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def spearman(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float | None:
    """Spearman's rank correlation of two series of values, one value per token, from −1 to 1.

    Equal values share the mean of their ranks. None where undefined: fewer than two tokens, or a constant series.
    Raises ValueError for different lengths. Spearman 1904, "The Proof and Measurement of Association between Two
    Things".

    >>> spearman([1, 2, 3], [10, 30, 20])
    0.5
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values")
    if len(a) < 2:
        return None
    ranks_a, ranks_b = _centered_ranks(a), _centered_ranks(b)
    norm = float(np.sqrt((ranks_a @ ranks_a) * (ranks_b @ ranks_b)))
    return float(ranks_a @ ranks_b) / norm if norm else None


def _centered_ranks(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """(T,) ranks minus their mean; ties get their mean rank."""
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks - ranks.mean()
