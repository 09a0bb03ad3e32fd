"""Classroom: rooms of one server, their members and rounds, within the host's limits.

A teacher opens a room and holds it by a secret; members join by its code, and each holds a secret of their own. A
room ends by itself, and with it goes everything that was in it. Nothing else is kept of anybody.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from engine.classroom import codes
from engine.classroom.code_guesses import CodeGuesses
from engine.classroom.plain_text import MAX_ANSWER, MAX_NAME, clean, is_unwanted
from engine.classroom.question import Question
from engine.classroom.records import Answer, Member, Room, Round
from engine.classroom.spread import Spread, Written
from engine.classroom.store import Store
from engine.errors import EngineError
from engine.serving import config

MAX_ROUNDS = 300  # of one room
_TRIES = 20  # codes until a free one is found


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the host: rooms at the same time (0: none), members of a room, minutes until it ends."""

    rooms: int = 20
    members: int = 60
    minutes: int = 180


def host_limits() -> Limits:
    """The limits of this process's configuration."""
    current = config.current()
    return Limits(current.classrooms, current.classroom_members, current.classroom_minutes)


class Opened(NamedTuple):
    """A new room and the secret of its teacher, which is stored nowhere."""

    room: Room
    secret: str


class Joined(NamedTuple):
    """A new member and the key of the member, which is stored nowhere: `NUMBER.SECRET`."""

    member: Member
    key: str


class Classroom:
    """Rooms in a store. Thread-safe.

    Errors are EngineErrors: `room_off`, `room_limit` (value: `most`), `room_none` (no such room, or it has ended),
    `room_locked`, `room_full` (`most`), `room_name`, `room_name_taken`, `room_word`, `room_over` (the answers of the
    round are closed), `room_running` (another round is), `room_rounds` (`most`), `limit_codes`.
    """

    def __init__(
        self, store: Store, limits: Callable[[], Limits] = host_limits, now: Callable[[], float] = time.time
    ) -> None:
        self.store = store
        self._limits, self._now = limits, now
        self._guesses = CodeGuesses()

    def open_room(self, named: bool) -> Opened:
        """Open a room. Raises `room_off`, `room_limit`."""
        limits = self._limits()
        if not limits.rooms:
            raise EngineError("room_off", "the host has switched rooms off")
        self.store.remove_ended(self._now())
        secret = codes.new_secret()
        for _ in range(_TRIES):
            ends = self._now() + 60 * limits.minutes
            room = Room(codes.new_code(), codes.new_channel(), codes.hash_of(secret), ends, named)
            added = self.store.add_room(room, limits.rooms)
            if added == "added":
                return Opened(room, secret)
            if added == "full":
                break
        raise EngineError("room_limit", f"{limits.rooms} rooms already", most=limits.rooms)

    def find(self, code: str) -> Room | None:
        """A room that has not ended, by its exact code; for somebody who is in it already."""
        room = self.store.room(code)
        return room if room is not None and self._now() < room.ends else None

    def look_up(self, typed: str, visitor: str) -> Room:
        """The room whose code somebody typed. Raises `room_none`, `limit_codes`; `visitor`: who tries it."""
        self._guesses.check(visitor)
        code = codes.read_code(typed)
        room = self.find(code) if code else None
        if room is None:
            self._guesses.record_wrong(visitor)
            raise EngineError("room_none", "no room has this code")
        return room

    def held_by(self, typed: str, secret: str, visitor: str) -> Room:
        """The room whose teacher has this secret. Raises `room_none`, `limit_codes`."""
        room = self.look_up(typed, visitor)
        if not codes.matches(secret, room.secret):
            self._guesses.record_wrong(visitor)
            raise EngineError("room_none", "the secret is another room's")
        return room

    def join(self, typed: str, name: str, visitor: str) -> Joined:
        """Join a room. Raises `room_none`, `room_locked`, `room_full`, `room_name` and the errors of names."""
        room = self.look_up(typed, visitor)
        nickname = clean(unicodedata.normalize("NFKC", name[:1_000]), MAX_NAME) if room.named else ""  # Ａｎｎ is Ann
        if room.named and not any(char.isalnum() for char in nickname):
            raise EngineError("room_name", "the nickname has no letter")
        if is_unwanted(nickname, room.words):
            raise EngineError("room_word", "the nickname is on the word list")
        secret, most = codes.new_secret(), self._limits().members
        member = self.store.add_member(room.code, nickname, codes.hash_of(secret), most)
        if isinstance(member, Member):
            return Joined(member, f"{member.number}.{secret}")
        refusals = {"none": "room_none", "locked": "room_locked", "full": "room_full", "taken": "room_name_taken"}
        raise EngineError(refusals[member], "the member was not added", most=most)

    def member(self, code: str, key: str) -> Member | None:
        """The member of a room who holds a key; None if the room or the member is gone."""
        number, _, secret = key.partition(".")
        if not (number.isascii() and number.isdecimal()) or len(key) > 100 or self.find(code) is None:
            return None
        found = next((member for member in self.store.members(code) if member.number == int(number)), None)
        return found if found is not None and codes.matches(secret, found.key) else None

    def version(self, code: str, part: Literal["all", "stage"]) -> int:
        """Version of a part of a room, to be read before what is drawn of it; 0 where the room is gone."""
        room = self.find(code)
        found = self.store.versions([room.channel]).get(room.channel) if room is not None else None
        return 0 if found is None else int(getattr(found, part))

    def ask(self, code: str, task: Question | Spread) -> Round:
        """Open a round. Raises `room_none`, `room_running`, `room_rounds`."""
        if self.find(code) is None:
            raise EngineError("room_none", "the room has ended")
        last = self.store.last_round(code)
        if last is not None and last.number >= MAX_ROUNDS:
            raise EngineError("room_rounds", f"{MAX_ROUNDS} rounds", most=MAX_ROUNDS)
        opened = self.store.add_round(code, task.to_json())
        if opened is None:
            raise EngineError("room_running", "another round is not revealed")
        return opened

    def answer(self, room: Room, number: int, answer: Answer) -> None:
        """Answer, or replace the answer given before. Raises `room_word`, `room_over`."""
        typed = clean(answer.typed, MAX_ANSWER)
        if not answer.options and (is_unwanted(typed, room.words) or is_unwanted(answer.text, room.words)):
            raise EngineError("room_word", "the answer is on the word list")
        taken = Answer(answer.member, typed, answer.tokens, answer.text, answer.options)
        if self.find(room.code) is None or not self.store.put_answer(room.code, number, taken):
            raise EngineError("room_over", "the round takes no answers")

    def put_text(self, room: Room, number: int, member: int, written: Written) -> None:
        """Store what a member's seed wrote; a text with an unwanted word without it. Raises `room_over`."""
        unwanted = is_unwanted(written.text, room.words)
        taken = Answer(member, "", () if unwanted else written.tokens, "" if unwanted else written.text)
        if self.find(room.code) is None or not self.store.put_answer(room.code, number, taken):
            raise EngineError("room_over", "the round takes no answers")

    def reveal(self, code: str, number: int, conclude: Callable[[Round, list[Answer]], dict[str, Any]]) -> None:
        """End a round and store what `conclude` makes of its answers; an interrupted reveal can be repeated."""
        asked = self.store.last_round(code)
        if asked is None or asked.number != number or asked.state == "revealed":
            return
        self.store.close_round(code, number)  # from here on no answer is taken
        self.store.reveal_round(code, number, conclude(asked, self.store.answers(code, number)))
