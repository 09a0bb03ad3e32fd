"""One head, or a summary of heads, large: the learner's sentence with arcs to what was looked at, and the heat map.

Row t answers "what did the model look at, at position t, to predict token t + 1". The component (`one_head.js`) shows
another row at once, since it has them all, and reports it (`row`: {text, row}).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

_head = register("one_head", Path(__file__), "collapsible_table", "attention_matrix", "heat_map")


def data(matrix: np.ndarray, labels: Sequence[str], row: int, text: int) -> dict[str, Any]:
    """Data of the component. matrix: (T, T), of which the lower triangle is sent row by row."""
    triangle = matrix[np.tril_indices(len(matrix))]  # (T (T + 1) / 2,)
    return {
        "text": text,
        "tokens": list(labels),
        "chosen": {"row": row},
        "matrix": coded_weights(triangle),
    }


def coded_weights(weights: np.ndarray) -> str:
    """Attention weights as base64 of little-endian uint16, in units of 1/65535: 0.35 MB for 512 x 512 tokens.

    >>> base64.b64decode(coded_weights(np.array([0.0, 0.5, 1.0]))).hex()
    '00000080ffff'
    """
    return base64.b64encode(np.rint(np.clip(weights, 0, 1) * 65535).astype("<u2").tobytes()).decode("ascii")


def labels(t: Translator) -> dict[str, Any]:
    """The words that one head needs."""
    words = ("asks", "asks_next", "told", "ahead", "map", "legend", "larger", "smaller")
    table = {"text": t("access.text"), "table": t("access.table.row"), "columns": t.list("access.columns.row")}
    return {word: t(f"inside.head.{word}") for word in words} | table


def draw(shown: dict[str, Any], note: str, t: Translator, on_row: Callable[[int, int], None]) -> None:
    """`note` says what is on show; `on_row` is told text and row."""

    chosen = event_callback("one_head", "row", lambda value: on_row(value["text"], value["row"]))
    _head(key="one_head", data=shown | {"labels": labels(t), "note": note}, on_row_change=chosen)
