"""The logit lens as a table: what each layer would have predicted at each position, the last layer on top.

Plain data from `engine.lens`; the component (`lens_table.js`) draws it and reports a click (`cell`: {text, layer,
position}). Of a long text `POSITIONS` positions are shown, the one whose row is on show among them.
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

POSITIONS = 48

_table = register("lens_table", Path(__file__))


def data(
    found: LogitLens, model: Model, labels: Sequence[str], row: int, cell: tuple[int, int] | None, text: int
) -> dict[str, Any]:
    """columns: [position, token, token after it or None]; rows from the last layer to the embedding: [layer, cells],
    a cell [label, probability, whether it is the token that follows]; row: the position that is on show elsewhere."""
    ids = found.ids
    first = max(0, min(len(ids) - POSITIONS, row - POSITIONS // 2))
    places = range(first, min(first + POSITIONS, len(ids)))
    pending = {at: model.vocabulary.pending(ids[: at + 1]) for at in places}
    columns = [[at, labels[at], labels[at + 1] if at + 1 < len(ids) else None] for at in places]
    rows = []
    for layer in reversed(range(found.likeliest.shape[0])):
        cells = []
        for at in places:
            token_id = int(found.likeliest[layer, at])
            right = at + 1 < len(ids) and token_id == ids[at + 1]
            p = round(float(found.probability[layer, at]), 5)
            cells.append([model.vocabulary.label(token_id, pending[at]), p, right])
        rows.append([layer, cells])
    return {"text": text, "row": row, "columns": columns, "rows": rows, "cell": cell}


def draw(shown: dict[str, Any], t: Translator, on_cell: Callable[[int, int, int], None]) -> None:
    """`on_cell` is told text, layer and position."""

    chosen = event_callback(
        "lens_table", "cell", lambda value: on_cell(value["text"], value["layer"], value["position"])
    )
    words = ("layer", "embedding", "follows", "unknown", "after", "legend")
    labels = {word: t(f"inside.lens.{word}") for word in words}
    _table(key="lens_table", data=shown | {"labels": labels}, on_cell_change=chosen)
