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
import streamlit as st

from pages.ui.colors import css
from pages.ui.i18n import Translator

_HERE = Path(__file__).parent
CELLS = 48
MOST_BYTES = 1_000_000  # of all maps together, before they are written as text

_maps = st.components.v2.component(
    "head_maps",
    html='<div class="root"></div>',
    css=css() + (_HERE / "head_maps.css").read_text("utf-8"),
    js=(_HERE / "head_maps.js").read_text("utf-8"),
)


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


def data(attention: np.ndarray, told: list[list[str]], opened: tuple[int, int] | None, turn: int) -> dict[str, Any]:
    """Plain data for the canvas. `told`: a sentence for each head of each layer."""
    maps = small(attention)
    return {
        "turn": turn,
        "layers": maps.shape[0],
        "heads": maps.shape[1],
        "side": maps.shape[2],
        "block": -(-attention.shape[2] // maps.shape[2]),
        "maps": base64.b64encode(maps.tobytes()).decode("ascii"),
        "told": told,
        "opened": opened,
    }


def draw(shown: dict[str, Any], dark: bool, t: Translator, on_open: Callable[[int, int, int], None]) -> None:
    """`on_open` is told turn, layer and head."""

    def callback() -> None:
        from pages.ui import state

        value = (state.widget("head_maps") or {}).get("open")
        if isinstance(value, dict):
            on_open(value["turn"], value["layer"], value["head"])

    labels = {word: t(f"inside.maps.{word}") for word in ("layer", "name")}
    _maps(key="head_maps", data=shown | {"dark": dark, "labels": labels}, on_open_change=callback)
