"""Summaries of attention matrices: mean, rollout and attention sink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import EngineError, not_finite_error

if TYPE_CHECKING:
    from engine.model.model import Model


def mean(attention: np.ndarray) -> np.ndarray:
    """Mean attention over all layers and heads, (…, T, T) -> (T, T). Rows sum to 1 if those of the input do."""
    return attention.reshape(-1, *attention.shape[-2:]).mean(axis=0)


def rollout(attention: np.ndarray) -> np.ndarray:
    """Attention rollout, the estimated share of each input position in each output position.

    (L, H, T, T) -> (T, T); rows sum to 1. Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers": the
    heads of a layer are averaged, half of the identity is added for the residual stream (0.5·A + 0.5·I), rows are
    normalized to sum to 1, and the layers are multiplied, the first one rightmost. Values and feed-forward layers are
    ignored.
    """
    eye = np.eye(attention.shape[-1])
    flow = eye
    for layer in attention.astype(np.float64):  # (H, T, T)
        mixed = 0.5 * layer.mean(axis=0) + 0.5 * eye  # (T, T)
        flow = mixed / mixed.sum(axis=-1, keepdims=True) @ flow
    return flow.astype(attention.dtype)


def sink(attention: np.ndarray) -> np.ndarray:
    """Attention sink: mean attention of rows t ≥ 1 to position 0, (L, H, T, T) -> (L, H), from 0 to 1.

    0 for a text of one token, which has no such row.
    """
    if attention.shape[-1] == 1:
        return np.zeros(attention.shape[:2], dtype=attention.dtype)
    return attention[:, :, 1:, 0].mean(axis=-1)


def attention_without_cache(model: Model, ids: Sequence[int]) -> np.ndarray:
    """Attention of a text, (L, H, T, T), as `Model.attention`, but without reading or filling the prefix cache.

    Raises EngineError: `attention` for a model without attention, `not_finite`.
    """
    attentions = model.prefix_cache.forward.run(ids, None).attentions
    if attentions is None:
        raise EngineError("attention", f"{model.name} computes no attention")
    if not attentions.isfinite().all():
        raise not_finite_error("the attention weights")
    return attentions.float().numpy()
