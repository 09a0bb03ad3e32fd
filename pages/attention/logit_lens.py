"""Logit lens as a table: the most probable next token of each layer at each position, the last layer on top.

The numbers come from `engine.interpret.logit_lens`. The component (`logit_lens.js`) draws them and reports a click
(`cell`: {text, layer, position}). For a longer text, `MAX_POSITIONS` positions around the selected row are displayed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.interpret.logit_lens import LogitLens
    from engine.model.model import Model

MAX_POSITIONS = 48

_component = register("lens_table", Path(__file__))


def data(
    lens: LogitLens, model: Model, labels: Sequence[str], row: int, cell: tuple[int, int] | None, text_version: int
) -> dict[str, Any]:
    """Data of the component.

    Arguments: labels of the text's tokens; the selected row; the opened cell as (layer, position).
    columns  [position, token, following token or None]
    rows     [layer, cells] from the last layer to the embedding (layer 0); a cell is [token, its probability, whether
             it is the token that follows in the text]
    """
    ids = lens.ids
    first = max(0, min(len(ids) - MAX_POSITIONS, row - MAX_POSITIONS // 2))
    positions = range(first, min(first + MAX_POSITIONS, len(ids)))
    pending = {at: model.vocabulary.pending(ids[: at + 1]) for at in positions}
    columns = [[at, labels[at], labels[at + 1] if at + 1 < len(ids) else None] for at in positions]
    rows = []
    for layer in reversed(range(lens.top_token_ids.shape[0])):
        cells = []
        for at in positions:
            token_id = int(lens.top_token_ids[layer, at])
            follows = at + 1 < len(ids) and token_id == ids[at + 1]
            p = round(float(lens.probability[layer, at]), 5)
            cells.append([model.vocabulary.label(token_id, pending[at]), p, follows])
        rows.append([layer, cells])
    return {"text": text_version, "row": row, "columns": columns, "rows": rows, "cell": cell}


def draw(payload: dict[str, Any], t: Translator, on_cell: Callable[[int, int, int], None]) -> None:
    """Draw the result of `data`. on_cell(text version, layer, position): a cell was clicked."""
    on_change = event_callback(
        "lens_table", "cell", lambda value: on_cell(value["text"], value["layer"], value["position"])
    )
    words = ("layer", "embedding", "follows", "unknown", "after", "legend")
    labels = {word: t(f"inside.lens.{word}") for word in words}
    _component(key="lens_table", data=payload | {"labels": labels}, on_cell_change=on_change)
