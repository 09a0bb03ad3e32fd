"""Grid of Jacobi decoding: passes from top to bottom, places of the text from left to right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.jacobi import JacobiDecoding
    from engine.model.model import Model

_component = register("pass_grid", Path(__file__))


def data(work: JacobiDecoding, model: Model, t: Translator) -> dict[str, Any]:
    """Data of the component. rows: {name, texts, final}; `final`: number of final places from the left."""
    rows = []
    for at, (row, final) in enumerate(zip(work.rows, work.final, strict=True)):
        name = t("speculative.grid.pass", n=at) if at else t("speculative.grid.first")
        rows.append({"name": name, "texts": [model.vocabulary.label(i) for i in row], "final": final})
    return {
        "name": t("speculative.grid.name"),
        "place": t("speculative.grid.place"),
        "legend": [["final", t("speculative.grid.final")], ["open", t("speculative.grid.open")]],
        "rows": rows,
    }


def draw(payload: dict[str, Any]) -> None:
    """Draw the result of `data`."""
    _component(key="pass_grid", data=payload)
