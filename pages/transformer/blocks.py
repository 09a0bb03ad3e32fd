"""Blocks of the details of a box: a paragraph, the numbers of a vector, a table. `diagram.js` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pages.i18n.translator import Translator

Block = dict[str, Any]
SHOWN = 64  # numbers of a vector that are drawn


def text(sentence: str) -> Block:
    """A paragraph."""
    return {"kind": "text", "text": sentence}


def length_of(values: np.ndarray) -> float:
    """Euclidean norm of a vector."""
    return float(np.linalg.norm(values))


def vector(name: str, values: np.ndarray, t: Translator) -> Block:
    """The first numbers of a vector as bars, and its length."""
    note = t(
        "transformer.vector", shown=min(SHOWN, len(values)), size=f"{len(values):,}", length=length_in_words(values, t)
    )
    return {"kind": "vector", "name": name, "values": drawn(values), "note": note}


def drawn(values: np.ndarray) -> list[float]:
    """The numbers of a vector that are drawn."""
    return [round(float(value), 3) for value in values[:SHOWN]]


def table(
    name: str,
    columns: list[str],
    rows: list[list[str]],
    shares: Sequence[float] = (),
    mark: int | None = None,
    tone: str = "tokens",
) -> Block:
    """Rows of text; `shares` are drawn as bars in the last column, negative ones in another colour, `mark` is a row
    that stands out.

    tone: `tokens` where the rows are of tokens, `attention` where the bars are weights too, "" for other rows.
    """
    shares = [round(share, 4) for share in shares]
    return {
        "kind": "table", "name": name, "columns": columns, "rows": rows, "shares": shares, "mark": mark, "tone": tone,
    }  # fmt: skip


def length_in_words(values: np.ndarray, t: Translator) -> str:
    """Length of a vector as it is displayed."""
    return t.number(length_of(values), 2)
