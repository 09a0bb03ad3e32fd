"""The steps of a lockstep run: the text that was appended at each, and the divergence before it was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.tokenization.unicode import readable
from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.experiments.model_comparison import Lockstep

_component = register("side_strip", Path(__file__))


def data(work: Lockstep, t: Translator) -> dict[str, Any]:
    """Data of the component. steps: [text, divergence or None, the divergence as text]."""
    steps: list[list[Any]] = []
    for step in work.steps:
        value = step.comparison.divergence
        steps.append([readable(step.text), value, "–" if value is None else t.number(value, 3)])
    return {"name": t("side.strip"), "note": t("side.strip_note"), "steps": steps}


def draw(payload: dict[str, Any]) -> None:
    """Draw the result of `data`."""
    _component(key="side_strip", data=payload)
