"""Component: the labeled parts of a prompt and the generated text after them (`prompt_view.js`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.components.tables import text_table
from pages.i18n.translator import Translator
from pages.uses.state import PromptPart, TaskRun

if TYPE_CHECKING:
    from engine.model.model import Model

_component = register("task_prompt", Path(__file__))


def data(
    parts: list[PromptPart], task_run: TaskRun | None, model: Model, running: bool, t: Translator
) -> dict[str, Any]:
    """Data of the component. parts: [kind, label, text]; chips: as `text_table.chips`; status: why the text ended."""
    chips: list[list[Any]] = []
    status = ""
    if task_run is not None:
        chips = text_table.chips(model, task_run.ids, task_run.continuation, t)
        status = _status(task_run, t)
    return {
        "parts": [[part.kind, t(f"uses.kind.{part.kind}"), part.text] for part in parts],
        "chips": chips,
        "own": t("uses.kind.own"),
        "waiting": t("uses.waiting"),
        "running": running,
        "status": status,
    }


def _status(task_run: TaskRun, t: Translator) -> str:
    if task_run.line_ended:
        return t("uses.stop.line")
    return t(f"uses.stop.{task_run.continuation.stop}") if task_run.continuation.stop else ""


def draw(component_data: dict[str, Any], key: str) -> None:
    """`component_data`: result of `data`."""
    _component(key=key, data=component_data)
