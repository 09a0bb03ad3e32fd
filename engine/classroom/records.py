"""Records of a classroom, as a store holds them: room, member, round, answer, work, and the versions of a room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

RoundState = Literal["open", "closed", "revealed"]


@dataclass(frozen=True, slots=True)
class Room:
    """A room.

    channel   random name under which its versions are asked for
    secret    hash of the teacher's secret
    ends      time at which it ends by itself, in seconds of the epoch
    named     whether members give a nickname
    joinable  whether new members may join
    words     the teacher's own additions to the list of unwanted words
    text      the teacher's text, which members see between the questions; "" where it is not shown
    text_after  the last round that was revealed when the text was set: its result is older than the text
    page      path and query of the page that members are led to; "" where they are not
    handed    what the teacher has handed out: (title, path and query of a page), the newest last
    """

    code: str
    channel: str
    secret: str
    ends: float
    named: bool = True
    joinable: bool = True
    words: tuple[str, ...] = ()
    text: str = ""
    text_after: int = 0
    page: str = ""
    handed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A member. `number`: from 1, in order of arrival, never used again; `name`: "" in a room without nicknames;
    `key`: hash of the member's secret."""

    number: int
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Round:
    """One question to the class.

    state     `open`: answers are taken; `closed`: no more, and the result is being computed; `revealed`
    question  JSON values, see `question.py`
    result    JSON values, see `comparison.py`; None before `revealed`
    """

    number: int
    state: RoundState
    question: dict[str, Any]
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one member answered in one round; the last one before the end of the round counts.

    typed    what was typed, or the text of the option
    tokens   token ids that it counts as: one, or the several of one character
    text     display text of these tokens
    options  number of options where one was picked, 0 where it was typed
    """

    member: int
    typed: str
    tokens: tuple[int, ...]
    text: str
    options: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What one member does outside the rounds: the last state of one topic.

    topic   such as `step 05-beam.2` or `question 05-beam.1`, see `progress.py`
    values  JSON values
    """

    member: int
    topic: str
    values: dict[str, Any]


class Versions(NamedTuple):
    """Versions of a room, which only grow.

    all    changes with everything, such as a new member, answer or work: what the teacher sees
    stage  changes with the question, its reveal, what the teacher shows or hands out, and the removal of a member:
           what members see
    """

    all: int
    stage: int
