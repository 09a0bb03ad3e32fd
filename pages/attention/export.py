"""Downloads of the attention page: text and attention matrix as CSV, and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.attention.state import AttentionState
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell.share.downloads import Exports, File
from pages.shell.share.spreadsheet import column_names, to_csv
from pages.shell.share.text_csv import text_file

if TYPE_CHECKING:
    from engine.model.model import Model

PICTURES = ("strip", "head_maps", "one_head", "lens_table", "mattered")


def attention_csv(matrix: np.ndarray, labels: Sequence[str], t: Translator) -> bytes:
    """Attention matrix (T, T) as CSV: a row per token, a column per token attended to.

    Cells above the diagonal are empty: a token cannot attend to later ones.
    """
    header = [*column_names("position text", t), *(f"{at + 1} {label}" for at, label in enumerate(labels))]
    length = len(labels)
    rows: list[list[Any]] = [
        [at + 1, label, *(float(value) for value in matrix[at, : at + 1]), *[None] * (length - at - 1)]
        for at, label in enumerate(labels)
    ]
    return to_csv(header, rows)


def exports(session: TextState, state: AttentionState, t: Translator) -> Exports:
    """Files and pictures of this page."""

    def files(model: Model) -> list[File]:
        def matrix_csv() -> bytes:
            return attention_csv(state.matrix(model), model.pieces(state.ids), t)

        text = text_file(session, model, t)
        return [text, File("attention", "attention.csv", matrix_csv)] if state.ids else [text]

    return Exports(PICTURES, files)
