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


def attention(matrix: np.ndarray, labels: Sequence[str], t: Translator) -> bytes:
    """(T, T): a row a token, a column for each that it looked at; what comes after it is empty, it cannot be seen."""
    header = [*column_names("position text", t), *(f"{at + 1} {label}" for at, label in enumerate(labels))]
    ahead = len(labels)
    rows: list[list[Any]] = [
        [at + 1, label, *(float(value) for value in matrix[at, : at + 1]), *[None] * (ahead - at - 1)]
        for at, label in enumerate(labels)
    ]
    return to_csv(header, rows)


def exports(session: TextState, state: AttentionState, t: Translator) -> Exports:
    """Files and pictures of this page."""

    def files(model: Model) -> list[File]:
        def matrix() -> bytes:
            return attention(state.matrix(model), model.pieces(state.ids), t)

        result = [text_file(session, model, t)]
        return [*result, File("attention", "attention.csv", matrix)] if state.ids else result

    return Exports(PICTURES, files)
