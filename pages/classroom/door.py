"""Component: the door of the classroom, where a visitor joins a room or a teacher opens one.

The component (`door.js`) reports `back` ({role, code, key}: what the browser has kept), `code` ({text}), `join`
({name}), `another` ({}) and `open` ({named}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pages.classroom.state import ClassroomState
from pages.classroom.wording import problem_text
from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

_component = register("classroom_door", Path(__file__), "room_updates", "two_distributions")
EVENTS = ("back", "code", "join", "another", "open")
LABELS = (
    "students", "code", "code_hint", "enter", "name", "name_hint", "join", "another", "teachers", "about", "named",
    "open",
)  # fmt: skip


def data(state: ClassroomState, open_rooms: bool, minutes: int, t: Translator) -> dict[str, Any]:
    """Data of the component. `open_rooms`: whether the host allows rooms; `minutes`: how long one lasts."""
    return {
        "wanted": state.wanted,
        "asks_name": bool(state.named),
        "draft": state.draft,
        "forget": bool(state.left),
        "allowed": open_rooms,
        "left": t(f"classroom.left.{state.left}") if state.left else "",
        "problem": problem_text(state.problem, t),
        "off": "" if open_rooms else t("classroom.door.off"),
        "privacy": t("classroom.door.privacy", minutes=minutes),
        "labels": {name: t(f"classroom.door.{name}") for name in LABELS},
    }


def draw(values: dict[str, Any], actions: dict[str, Callable[[dict[str, Any]], None]]) -> None:
    """The component with the functions that handle its events."""
    handlers = {f"on_{name}_change": event_callback("door", name, actions[name]) for name in EVENTS}
    _component(key="door", data=values, **handlers)
