"""How far two answers to "what mattered?" agree: the rank correlation of their values. No model here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def spearman(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float | None:
    """Spearman's rank correlation of two values a token, from −1 to 1; equal values share the mean of their ranks.

    None where it is undefined: fewer than two tokens, or one of them the same everywhere. Raises ValueError for
    different lengths. Spearman 1904, "The Proof and Measurement of Association between Two Things".

    >>> spearman([1, 2, 3], [10, 30, 20])
    0.5
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values")
    if len(a) < 2:
        return None
    one, two = _ranks(a), _ranks(b)
    spread = float(np.sqrt((one @ one) * (two @ two)))
    return float(one @ two) / spread if spread else None


def _ranks(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """(T,) ranks less their mean."""
    _, which, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks - ranks.mean()
