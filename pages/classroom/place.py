"""A visitor's place in a classroom: as whom the visitor is in which room, coming and going. No Streamlit here.

The room itself is in the store of `engine.classroom`; here is only which one it is, and the key that opens it. The
browser keeps the key as well (`room_updates.js`), so that whoever reloads or wakes up is the same person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.classroom import plain_text
from engine.classroom.classroom import Classroom
from engine.classroom.question import Question, question_of
from engine.classroom.records import Member, Room, Round
from engine.classroom.shared import classroom
from engine.errors import EngineError
from engine.serving import admission
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model

Role = Literal["", "teacher", "member"]


@dataclass
class Place:
    """One visitor's place.

    role, code, key  the room that the visitor is in, as whom, and the teacher's secret or the member's key
    wanted           code that was typed or came with the link; `named`: whether its room asks for a nickname, None
                     while no such room has been found
    draft            nickname that was typed and refused
    arriving         secret of a teacher that came with the link
    left             why the visitor is no longer in a room: `ended`, `removed`; "" otherwise
    asked, seen      last round that was asked in this window; last round of which it has shown the result
    dismissed        last round whose result the teacher has put away
    problem          why the last action was refused; `problem_at`: what the room showed then
    redraw           whether the page has to be drawn anew, because the role has changed
    """

    role: Role = ""
    code: str = ""
    key: str = ""
    wanted: str = ""
    named: bool | None = None
    draft: str = ""
    arriving: str = ""
    left: Literal["", "ended", "removed"] = ""
    asked: int = 0
    seen: int = 0
    dismissed: int = 0
    problem: EngineError | None = None
    problem_at: tuple[int, str, int] = (0, "", 0)
    redraw: bool = False

    @property
    def school(self) -> Classroom:
        return classroom()

    def attempt(self, action: Callable[[], None]) -> None:
        """Run an action and store its EngineError in `problem`."""
        self.problem = None
        try:
            action()
        except EngineError as error:
            self.problem, self.problem_at = error, self._shown()

    def current_problem(self) -> EngineError | None:
        """Why the last action was refused, as long as the room shows what it showed then."""
        if self.problem is not None and self.problem_at != self._shown():
            self.problem = None
        return self.problem

    def _shown(self) -> tuple[int, str, int]:
        """Round of the room with its state, and the result that was put away; nothing outside a room."""
        last = self.last_round() if self.role else None
        return (last.number, last.state, self.dismissed) if last is not None else (0, self.role, self.dismissed)

    def open_room(self, named: bool) -> None:
        """Open a room and hold it; nothing for who is in one, such as a second click."""
        if self.role:
            return
        admission.charge()
        room, secret = self.school.open_room(named)
        self._enter("teacher", room, secret)

    def look_up(self, typed: str, visitor: str) -> None:
        """Find the room of a code; join it at once where it asks for no nickname. Nothing for who is in one."""
        if self.role:
            return
        self.wanted, self.named = plain_text.clean(typed, 20), None
        if not self.wanted:
            raise EngineError("room_code", "no code was typed")
        room = self.school.look_up(typed, visitor)
        if not room.joinable:
            raise EngineError("room_locked", "told before the nickname is asked for")
        self.wanted, self.named = room.code, room.named
        if not room.named:
            self.join("", visitor)

    def join(self, name: str, visitor: str) -> None:
        """Join the room that was looked up; nothing for who is in one."""
        if self.role:
            return
        self.draft = plain_text.clean(name, plain_text.MAX_NAME)
        admission.charge()
        joined = self.school.join(self.wanted, name, visitor)
        room = self.school.find(self.wanted)
        if room is not None:
            self._enter("member", room, joined.key)

    def come_back(self, role: str, code: str, key: str, visitor: str) -> None:
        """Be again who the browser says; a room or member that is gone is told, and the browser forgets it.

        Whoever sends codes in this way is bounded as if they were typed.
        """
        try:
            if role == "teacher":
                self.hold(code, key, visitor)
                return
            room = self.school.look_up(code, visitor)
        except EngineError as error:
            if error.code != "room_none":  # too many codes just now: the browser keeps the key, and may try again
                raise
            self.left = "ended"
            return
        if self.school.member(room.code, key) is None:
            self.left = "removed"
        else:
            self._enter("member", room, key)

    def hold(self, code: str, secret: str, visitor: str) -> None:
        """Hold a room by the teacher's secret."""
        room = self.school.held_by(code, secret, visitor)
        self._enter("teacher", room, secret)
        self.following = bool(room.text)

    def _enter(self, role: Role, room: Room, key: str) -> None:
        self.role, self.code, self.key = role, room.code, key
        self.left, self.wanted, self.named, self.draft, self.arriving = "", "", None, "", ""
        self.dismissed, self.asked, self.seen, self.redraw = 0, 0, 0, True
        self.entered(room)

    def entered(self, room: Room) -> None:
        """Begin in a room."""

    def forget_why(self) -> None:
        """Tell no more why the visitor is no longer in a room."""
        self.left = ""

    def go(self) -> None:
        """Leave the room for good: nothing of the member stays in it, and the nickname is free."""
        member = self.member()
        if member is not None:
            self.school.store.remove_member(self.code, member.number)
        self.leave()

    def leave(self, why: Literal["", "ended", "removed"] = "") -> None:
        """Be in no room."""
        self.role, self.code, self.key, self.left, self.redraw = "", "", "", why, True
        self.problem = None  # of the room, which is left

    def room(self) -> Room | None:
        """The room that the visitor is in; leaves it where it has ended."""
        room = self.school.find(self.code) if self.role else None
        if self.role and room is None:
            self.leave("ended")
        return room

    def member(self) -> Member | None:
        """The member that the visitor is; leaves the room where the teacher has removed the member."""
        member = self.school.member(self.code, self.key) if self.role == "member" else None
        if self.role == "member" and member is None:
            self.leave("removed")
        return member

    def last_round(self) -> Round | None:
        """The last round of the room."""
        return self.school.store.last_round(self.code)

    def last_question(self, number: int | None = None) -> Question | None:
        """The question of the last round, if it is one, and round `number`."""
        last = self.last_round()
        wanted = last is not None and number in (None, last.number)
        return question_of(last) if last is not None and wanted else None

    def to_query(self) -> dict[str, str]:
        """The code alone: a link that is shared from here lets others join, and never hold the room."""
        return {"room": self.code} if self.role else {"room": self.wanted} if self.named is not None else {}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Remember the code, and a teacher's secret, of a link; `session` and `model` are unused."""
        code = params.text("room")
        if code and code.upper() != self.code:
            self.wanted, self.arriving, self.named = code[:20], params.text("teach")[:100], None
            self.role, self.code, self.key, self.left, self.problem = "", "", "", "", None
