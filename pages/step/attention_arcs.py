"""Arcs over the text: how the attention at the cursor, whose output predicts the next token, is spread over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    import numpy as np

    import engine

LEAST = 0.01  # weight from which an arc is drawn
_NAMED = 3  # tokens named in the sentence


def data(
    model: engine.Model, ids: Sequence[int], tokens: Sequence[str], head: tuple[int, int] | None, t: Translator
) -> dict[str, Any] | None:
    """Arcs [position, weight] of a head, or of the mean of all heads, and a sentence that names the largest weights.

    `tokens`: readable strings of `ids`, as they stand in the text on the screen.
    None for a model whose attention cannot be shown. A head that the model lacks is replaced by the mean.
    """
    try:
        rows = model.attention_row(ids)  # (L, H, T)
    except EngineError:
        return None
    if head is not None and (head[0] >= rows.shape[0] or head[1] >= rows.shape[1]):
        head = None
    weights = rows.mean(axis=(0, 1)) if head is None else rows[head]  # (T,)
    return {
        "arcs": [[int(i), round(float(weights[i]), 3)] for i in (weights >= LEAST).nonzero()[0]],
        "told": _sentence(weights, tokens, head, t),
    }


def _sentence(weights: np.ndarray, tokens: Sequence[str], head: tuple[int, int] | None, t: Translator) -> str:
    largest = sorted(range(len(weights)), key=lambda i: (-weights[i], i))[:_NAMED]
    seen = t("arcs.comma").join(t("arcs.item", token=tokens[i], p=t.percent(float(weights[i]))) for i in largest)
    if head is None:
        return t("arcs.mean", seen=seen)
    return t("arcs.head", layer=head[0] + 1, head=head[1] + 1, seen=seen)
