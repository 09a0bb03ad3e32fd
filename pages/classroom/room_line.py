"""Component: the line of a classroom on all other pages, for its teacher and its members.

The component (`room_line.js`) reports `back` ({role, code, key}: what the browser has kept), of a teacher `lead` ({on})
and `hand` ({}), of a member `along` ({on}) and `open` ({link}), of both `room` ({}), of who
was in a room `told` ({}), and `changed`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.classroom.records import Member, Room, Round
from pages.classroom.wording import name_of
from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

_component = register("room_line", Path(__file__), "room_updates")
Handed = Sequence[tuple[str, str]]
EVENTS = ("back", "lead", "hand", "along", "open", "room", "told")


def nobody(left: str, t: Translator) -> dict[str, Any]:
    """Data for who is in no room; the browser may know of one. `left`: why the visitor is not in it any more."""
    return {"role": "", "told": t(f"classroom.left.{left}") if left else "", "ok": t("classroom.line.ok")}


def teacher(room: Room, version: int, members: int, t: Translator) -> dict[str, Any]:
    """Data for the teacher. `version`: of everything in the room."""
    return {
        "role": "teacher",
        "room": {"channel": room.channel, "part": "all", "version": version},
        "who": t("classroom.line.teacher", code=room.code, n=members),
        "on": bool(room.page),
        "handed": t("classroom.line.handed", n=len(room.handed)) if room.handed else "",
        "labels": {name: t(f"classroom.line.{name}") for name in ("lead", "hand", "back")},
    }


def member(
    room: Room, member: Member, version: int, along: bool, handed: Handed, asked: Round | None, t: Translator
) -> dict[str, Any]:
    """Data for a member.

    version  of the stage; along: whether the member is led; asked: the last question
    handed   what has been handed out and not been opened
    """
    open_question = asked is not None and asked.state == "open"
    return {
        "role": "member",
        "room": {"channel": room.channel, "part": "stage", "version": version},
        "who": t("classroom.member.who", name=name_of(member, t), code=room.code),
        "leads": bool(room.page),
        "on": along,
        "asked": t("classroom.line.asked") if open_question else "",
        "handed": [list(entry) for entry in handed],
        "labels": {name: t(f"classroom.line.{name}") for name in ("along", "alone", "new", "to_room")},
    }


def draw(values: dict[str, Any], actions: dict[str, Callable[[dict[str, Any]], None]]) -> None:
    """The component with the functions that handle its events; without a line, in an element that takes no room."""
    key = "room_line" if values["role"] or values["told"] else "room_back"
    handlers = {f"on_{name}_change": event_callback(key, name, actions[name]) for name in EVENTS}
    _component(key=key, data=values, on_changed_change=lambda: None, **handlers)
