"""The same text as the tokens of each model, with their number and the bits per character."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.components.text.token_chips import chips
from pages.i18n.translator import Translator
from pages.side_by_side.result import Result

if TYPE_CHECKING:
    from engine.model.model import Model

_component = register("side_cuts", Path(__file__), "token_chips")
_SHOWN = 200  # tokens of a text, the last ones


def data(models: list[Model], names: list[str], result: Result, t: Translator) -> dict[str, Any]:
    """Data of the component: {name, notes, groups} for each model that can read the text, see `token_chips.chips`."""
    found = result.surprise
    bits = (None, None) if found is None else (found.first, found.second)
    rows = []
    for model, name, reading, value in zip(models, names, result.readings, bits, strict=False):
        if reading.problem is None:
            notes = [t("side.tokens", count=f"{len(reading.ids):,}")]
            notes += [] if value is None else [t("side.bits", bits=t.number(value, 2))]
            notes += [t("side.last", count=_SHOWN)] if len(reading.ids) > _SHOWN else []
            rows.append({"name": name, "notes": notes, "groups": chips(model.vocabulary, reading.ids[-_SHOWN:])})
    return {"rows": rows}


def draw(payload: dict[str, Any]) -> None:
    """Draw the result of `data`."""
    _component(key="side_cuts", data=payload)
