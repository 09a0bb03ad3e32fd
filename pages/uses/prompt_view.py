"""A prompt in its parts, each named, and the model's text growing after them (`task_prompt.js`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components import text_table
from pages.components.register import register
from pages.i18n.translator import Translator
from pages.uses.state import PromptPart, TaskRun

if TYPE_CHECKING:
    from engine.model.model import Model

_prompt = register("task_prompt", Path(__file__))


def data(
    parts: list[PromptPart], writing: TaskRun | None, model: Model, running: bool, t: Translator
) -> dict[str, Any]:
    """parts: [kind, its name, its text]; chips: as `texts.chips`, and whether a line ends behind it; status."""
    chips: list[list[Any]] = []
    status = ""
    if writing is not None:
        chips = text_table.chips(model, writing.ids, writing.written, t)
        status = _status(writing, t)
    return {
        "parts": [[part.kind, t(f"uses.kind.{part.kind}"), part.text] for part in parts],
        "chips": chips,
        "own": t("uses.kind.own"),
        "waiting": t("uses.waiting"),
        "running": running,
        "status": status,
    }


def _status(writing: TaskRun, t: Translator) -> str:
    if writing.line:
        return t("uses.stop.line")
    return t(f"uses.stop.{writing.written.stop}") if writing.written.stop else ""


def draw(shown: dict[str, Any], key: str) -> None:
    """`shown` is what `data` made."""
    _prompt(key=key, data=shown)
