"""One attention matrix, large: the text with arcs from the selected row to the tokens attended to, and the heat map.

Row t holds the attention at position t, whose output predicts token t + 1. The component (`head_detail.js`) has all
rows: it changes to another one at once, and then reports it (`row`: {text, row}).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

_component = register("one_head", Path(__file__), "collapsible_table", "attention_matrix", "heat_map")


def data(matrix: np.ndarray, labels: Sequence[str], row: int, text_version: int) -> dict[str, Any]:
    """Data of the component. matrix: (T, T), of which the lower triangle is sent row by row."""
    triangle = matrix[np.tril_indices(len(matrix))]  # (T (T + 1) / 2,)
    return {
        "text": text_version,
        "tokens": list(labels),
        "chosen": {"row": row},
        "matrix": encode_weights(triangle),
    }


def encode_weights(weights: np.ndarray) -> str:
    """Attention weights as base64 of little-endian uint16, in units of 1/65535: 0.35 MB for 512 x 512 tokens.

    >>> base64.b64decode(encode_weights(np.array([0.0, 0.5, 1.0]))).hex()
    '00000080ffff'
    """
    return base64.b64encode(np.rint(np.clip(weights, 0, 1) * 65535).astype("<u2").tobytes()).decode("ascii")


def labels(t: Translator) -> dict[str, Any]:
    """Labels of the component."""
    words = ("asks", "asks_next", "told", "ahead", "map", "legend", "larger", "smaller")
    table = {"text": t("access.text"), "table": t("access.table.row"), "columns": t.list("access.columns.row")}
    return {word: t(f"inside.head.{word}") for word in words} | table


def draw(payload: dict[str, Any], note: str, t: Translator, on_row: Callable[[int, int], None]) -> None:
    """Draw the result of `data` below `note`, a line on the view. on_row(text version, row): another row was chosen."""
    on_change = event_callback("one_head", "row", lambda value: on_row(value["text"], value["row"]))
    _component(key="one_head", data=payload | {"labels": labels(t), "note": note}, on_row_change=on_change)
