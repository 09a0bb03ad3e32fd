"""The classroom on all other pages: the teacher's text and page on the phones, and the line of who is in a room.

`app.py` connects it to them.
"""

from __future__ import annotations

import time
from typing import Any

from engine.classroom.progress import Place
from engine.classroom.records import Room
from engine.errors import EngineError
from engine.serving import config
from pages.classroom import room_line
from pages.classroom.showing import CLASSROOM, destination, lesson_link, link_of
from pages.classroom.state import ClassroomState
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, extensions, model_access, navigation, visitor

RUN_SECONDS = 1.0  # between two texts of a run, each of which is drawn anew on every phone


def show(session: TextState, query: dict[str, str]) -> None:
    """Show the class the text at the cursor and the page, where the visitor is a teacher who shows them."""
    state = session_state.get(ClassroomState)
    if state.role != "teacher" or not (state.following or state.leading):
        return
    if session.running and time.monotonic() - state.shown_at < RUN_SECONDS:
        return  # the end of the run is shown in any case
    state.shown_at = time.monotonic()
    state.show_page(link_of(session_state.current_page(), query))
    model = model_access.loaded_model(session) if state.following else None
    if model is not None:
        state.show_text(model.text(session.ready(model).token_ids()))


def report(place: Place | None) -> None:
    """Count a member's place in the course."""
    state = session_state.get(ClassroomState)
    if state.role == "member":
        state.report(place)


def turn_to_page() -> None:
    """Open the page that the visitor has chosen in the room, or to which the teacher leads; before a page is drawn."""
    state = session_state.get(ClassroomState)
    room = state.room() if state.role == "member" else None
    link, state.to_open = state.to_open, ""
    if not link and room is not None and (link := state.waiting_page(room)):
        state.led_to = link
    if (found := destination(link)) is not None:
        address.lead_to(*found)


def draw_line(t: Translator) -> None:
    """The line of the room on all pages but its own; nothing for who is in none."""
    if session_state.current_page() == CLASSROOM or not config.current().classrooms:
        return
    state = session_state.get(ClassroomState)
    version = state.school.version(state.code, "all" if state.role == "teacher" else "stage") if state.role else 0
    room, member = state.room(), state.member()
    values = room_line.nobody(state.left, t)
    if room is not None and state.role == "teacher":
        state.read_room(room)
        members = len(state.school.store.members(room.code))
        values = room_line.teacher(room, version, members, t)
    elif room is not None and member is not None:
        handed = [entry for entry in room.handed[-1:] if entry[1] not in (state.opened, present_link())]
        values = room_line.member(room, member, version, is_along(state, room), handed, state.last_round(), t)
    room_line.draw(values, _actions(state, t))


def is_along(state: ClassroomState, room: Room) -> bool:
    """Whether a member is led, and has not gone to another page since."""
    found = destination(room.page)
    return state.along and found is not None and found[0] == session_state.current_page()


def _actions(state: ClassroomState, t: Translator) -> dict[str, Any]:
    def come_back(value: dict[str, Any]) -> None:
        role, code, key = str(value.get("role")), str(value.get("code")), str(value.get("key"))
        try:
            state.come_back(role, code, key, visitor.current_visitor() or "")
        except EngineError:
            return  # too many codes just now: the classroom's own page says so
        state.redraw = False
        state.stay()

    def go_back(value: dict[str, Any]) -> None:
        state.to_open = CLASSROOM

    return {
        "back": come_back,
        "lead": lambda value: state.lead(bool(value["on"]), present_link()),
        "hand": lambda value: state.hand_out(present_title(t), present_lesson() or present_link()),
        "along": lambda value: state.go_along(bool(value["on"])),
        "open": lambda value: state.open_handed(str(value["link"])),
        "room": go_back,
        "told": lambda value: state.forget_why(),
    }


def present_link() -> str:
    """Link of the page as it is in the address bar, without an open lesson."""
    return link_of(session_state.current_page(), session_state.get(address.AddressState).written or {})


def present_lesson() -> str:
    """Link of the step of a lesson that is open; "" where none is."""
    return lesson_link(session_state.current_page(), session_state.get(address.AddressState).written or {})


def present_title(t: Translator) -> str:
    """Title of the open lesson's step, or of the page with the text that is on it."""
    place = extensions.companion.place()
    outline = extensions.companion.outline(place.lesson, t) if place is not None else None
    if place is not None and outline is not None:
        return t("classroom.line.lesson", lesson=outline.title, n=place.stage + 1)
    session = session_state.get(TextState)
    model = model_access.loaded_model(session)
    text = "" if model is None else " ".join(model.text(session.ready(model).token_ids()).split())
    page = navigation.page_title(t, session_state.current_page())
    return t("classroom.line.title", page=page, text=text) if text else page
