"""Interface of a store of rooms. `sqlite_store.py` implements it; its tests hold any other store to the same.

Every method is atomic and thread-safe: of several calls at the same time, each sees the others wholly or not at all.
A method that names a room that is not there changes nothing, and returns None, False, or nothing found. Every change
raises the room's versions. Rules, such as what a nickname may be, are those of `classroom.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, Protocol

from engine.classroom.records import Answer, Member, Room, Round, Versions, Work

Refusal = Literal["none", "locked", "full", "taken"]  # no such room; not joinable; too many members; name in use


class Store(Protocol):
    """Rooms with their members, rounds, answers and work."""

    def add_room(self, room: Room, most: int) -> Literal["added", "taken", "full"]:
        """Add a room, unless its code is `taken` or there are `most` rooms already."""

    def room(self, code: str) -> Room | None:
        """A room by its code."""

    def change_room(
        self, code: str, *, joinable: bool | None = None, words: tuple[str, ...] | None = None,
        text: str | None = None, page: str | None = None, handed: tuple[tuple[str, str], ...] | None = None,
    ) -> None:  # fmt: skip
        """Change what a room allows or shows, `text_after` together with `text`; None changes nothing."""

    def remove_room(self, code: str) -> None:
        """Remove a room with everything in it."""

    def remove_ended(self, now: float) -> int:
        """Remove the rooms that have ended; returns how many."""

    def add_member(self, code: str, name: str, key: str, most: int) -> Member | Refusal:
        """Add a member; of equal names, in any case of letters, the first is kept. Empty names may be equal."""

    def members(self, code: str) -> list[Member]:
        """Members in order of arrival."""

    def remove_member(self, code: str, number: int) -> None:
        """Remove a member with all of the member's answers and work."""

    def add_round(self, code: str, question: dict[str, Any]) -> Round | None:
        """Open a round; None while another one is not revealed."""

    def rounds(self, code: str) -> list[Round]:
        """All rounds, from the first."""

    def last_round(self, code: str) -> Round | None:
        """The last round."""

    def close_round(self, code: str, number: int) -> bool:
        """Take no more answers in an open round. Whether it was open."""

    def reveal_round(self, code: str, number: int, result: dict[str, Any]) -> bool:
        """Add the result of a closed round. Whether it was closed."""

    def remove_round(self, code: str, number: int) -> None:
        """Remove a round with its answers."""

    def put_answer(self, code: str, number: int, answer: Answer) -> bool:
        """Add or replace the answer of a member in an open round; False where there is no such member or round."""

    def answers(self, code: str, number: int) -> list[Answer]:
        """Answers in a round, in the order of the members' numbers."""

    def put_work(self, code: str, work: Work) -> bool:
        """Add or replace what a member does in a topic; False where there is no such member."""

    def works(self, code: str) -> list[Work]:
        """What all members do, in the order of topics and the members' numbers."""

    def versions(self, channels: Collection[str]) -> dict[str, Versions]:
        """Versions of the rooms with these channels; rooms that are gone are left out."""

    def mark(self) -> object:
        """A value that differs after a change by anybody, in this process or another; cheap enough to be polled."""
