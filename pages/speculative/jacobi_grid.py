"""Grid of Jacobi decoding: passes from top to bottom, places of the text from left to right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.jacobi import JacobiDecoding
    from engine.model.model import Model


def data(work: JacobiDecoding, model: Model, t: Translator) -> dict[str, Any]:
    """Data of the grid of passes."""
    rows = []
    for at, (row, final) in enumerate(zip(work.rows, work.final, strict=True)):
        name = t("speculative.grid.pass", n=at) if at else t("speculative.grid.first")
        kinds = ["final" if place < final else "open" for place in range(len(row))]
        rows.append({"name": name, "texts": [model.vocabulary.label(i) for i in row], "kinds": kinds})
    return {
        "name": t("speculative.grid.name"),
        "place": t("speculative.grid.place"),
        "legend": [["final", t("speculative.grid.final")], ["open", t("speculative.grid.open")]],
        "rows": rows,
    }
