"""All attention heads as small maps in one grid (`head_overview.js`): hover names a head, a click opens it.

A map has at most `MAX_CELLS` cells per side. For a longer text, each cell stands for a block of tokens and displays
the largest attention in that block.
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

MAX_CELLS = 48
MAX_BYTES = 1_000_000  # of all maps together, before base64

_component = register("head_maps", Path(__file__), "collapsible_table", "attention_matrix", "head_grid")


def downsample(attention: np.ndarray) -> np.ndarray:
    """Max-pooled attention, (L, H, T, T) from 0 to 1 -> (L, H, S, S) uint8 with S <= T, 255 for 1.

    >>> downsample(np.eye(3, dtype=np.float32)[None, None])[0, 0].tolist()
    [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    """
    layers, heads, length, _ = attention.shape
    side = max(1, min(MAX_CELLS, length, math.isqrt(MAX_BYTES // (layers * heads))))
    block = -(-length // side)
    side = -(-length // block)
    padded = np.zeros((layers, heads, side * block, side * block), dtype=np.uint8)
    padded[:, :, :length, :length] = np.rint(attention * 255).astype(np.uint8)
    return padded.reshape(layers, heads, side, block, side, block).max(axis=(3, 5))


def data(
    maps: np.ndarray,
    length: int,
    sentences: list[list[str]],
    scores: list[list[list[float | None]]],
    opened: tuple[int, int | None] | None,
    text_version: int,
    reveal_count: int = 0,
) -> dict[str, Any]:
    """Data of the component.

    maps               (L, H, S, S) uint8, the result of `downsample` for a text of `length` tokens
    sentences, scores  [layer][head], see `head_descriptions`
    opened             the selected head, (layer, None) for the mean of a layer, None for neither
    reveal_count       a larger value than in the last run scrolls the component into view
    """
    rows, columns = np.tril_indices(maps.shape[2])  # the lower triangle, row by row
    return {
        "text": text_version,
        "revealed": reveal_count,
        "layers": maps.shape[0],
        "heads": maps.shape[1],
        "side": maps.shape[2],
        "block": -(-length // maps.shape[2]),
        "maps": base64.b64encode(maps[:, :, rows, columns].tobytes()).decode("ascii"),
        "told": sentences,
        "scores": scores,
        "opened": None if opened is None else {"layer": opened[0], "head": opened[1]},
    }


def draw(payload: dict[str, Any], t: Translator, on_open: Callable[[int, int, int | None], None]) -> None:
    """Draw the result of `data`. on_open(text version, layer, head): a head was opened; None: the mean of the layer."""
    on_change = event_callback("head_maps", "open", lambda value: on_open(value["text"], value["layer"], value["head"]))
    labels: dict[str, Any] = {word: t(f"inside.maps.{word}") for word in ("title", "axes", "name", "layer", "legend")}
    labels |= {"table": t("access.table.heads"), "columns": t.list("access.columns.heads")}
    if payload["block"] > 1:
        labels["legend"] += " " + t("inside.maps.coarse", block=payload["block"])
    _component(key="head_maps", data=payload | {"labels": labels}, on_open_change=on_change)
