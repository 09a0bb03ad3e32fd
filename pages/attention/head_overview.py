"""All heads of all layers as small maps on one canvas (`head_maps.js`): hover names a head, a click opens it.

A map has at most `CELLS` squares a side; in a longer text each square stands for several tokens and shows the most
that any of them was looked at.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

CELLS = 48
MOST_BYTES = 1_000_000  # of all maps together, before they are written as text

_maps = register("head_maps", Path(__file__), "collapsible_table", "attention_matrix")


def small(attention: np.ndarray) -> np.ndarray:
    """(L, H, T, T) of 0 to 1 -> (L, H, S, S) uint8, S <= T: the largest value of each block, 255 for 1.

    >>> small(np.eye(3, dtype=np.float32)[None, None])[0, 0].tolist()
    [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    """
    layers, heads, length, _ = attention.shape
    side = max(1, min(CELLS, length, math.isqrt(MOST_BYTES // (layers * heads))))
    block = -(-length // side)
    side = -(-length // block)
    padded = np.zeros((layers, heads, side * block, side * block), dtype=np.uint8)
    padded[:, :, :length, :length] = np.rint(attention * 255).astype(np.uint8)
    return padded.reshape(layers, heads, side, block, side, block).max(axis=(3, 5))


def data(
    maps: np.ndarray,
    length: int,
    told: list[list[str]],
    scores: list[list[list[float | None]]],
    opened: tuple[int, int | None] | None,
    text: int,
    revealed: int = 0,
) -> dict[str, Any]:
    """Plain data for the canvas: what `small` made of a text of so many tokens; for each head a sentence, and scores.

    `opened`: the head on show, (layer, None) for the mean of a layer, None for neither.
    `revealed` grows when it is to be brought into sight.
    """
    rows, columns = np.tril_indices(maps.shape[2])  # the half that can be, row after row
    return {
        "text": text,
        "revealed": revealed,
        "layers": maps.shape[0],
        "heads": maps.shape[1],
        "side": maps.shape[2],
        "block": -(-length // maps.shape[2]),
        "maps": base64.b64encode(maps[:, :, rows, columns].tobytes()).decode("ascii"),
        "told": told,
        "scores": scores,
        "opened": None if opened is None else {"layer": opened[0], "head": opened[1]},
    }


def draw(shown: dict[str, Any], t: Translator, on_open: Callable[[int, int, int | None], None]) -> None:
    """`on_open` is told text, layer and head (None: the mean of the layer)."""

    opened = event_callback("head_maps", "open", lambda value: on_open(value["text"], value["layer"], value["head"]))
    labels: dict[str, Any] = {word: t(f"inside.maps.{word}") for word in ("title", "name", "layer", "legend")}
    labels |= {"table": t("access.table.heads"), "columns": t.list("access.columns.heads")}
    if shown["block"] > 1:
        labels["legend"] += " " + t("inside.maps.coarse", block=shown["block"])
    _maps(key="head_maps", data=shown | {"labels": labels}, on_open_change=opened)
