"""Summaries of attention matrices: mean, rollout, share on the first token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.model.model import Model


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


def attention_without_cache(model: Model, ids: Sequence[int]) -> np.ndarray:
    """(L, H, T, T) as `Model.attention`, computed past the tree."""
    rows = model.prefix_cache.forward.run(ids, None).attentions
    if rows is None:
        raise EngineError("attention", f"{model.name} computes no attention")
    if not rows.isfinite().all():
        raise EngineError("not_finite", "attention that is not a number")
    return rows.float().numpy()
