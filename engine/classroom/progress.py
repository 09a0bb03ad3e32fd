"""Progress of a class in lessons: who is at which stage, who has done it, and the answers to a lesson's question.

Each member has a work of the topic HERE, the stage that is open and since when, and one for each lesson that was open:
its stages that are done, and the answers to its question in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.classroom.records import Work

STUCK_SECONDS = 180.0  # at one stage that is not done
MOST_STAGES = 30
HERE = "here"
_LESSON = "lesson "


class Place(NamedTuple):
    """Where somebody is in a lesson. `stage`: from 0; `done`: stages; `answers`: to its question, in order."""

    lesson: str
    stage: int
    done: tuple[int, ...]
    answers: tuple[int, ...]


@dataclass
class Stage:
    """Members at one stage: those who are there and have not done it, since when, and those who have done it."""

    here: dict[int, float] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)


@dataclass
class LessonProgress:
    """Progress in one lesson. `answers`: how many chose each answer of its question first, by its index."""

    stages: dict[int, Stage] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)

    @property
    def at_work(self) -> int:
        """Members who are in the lesson now and have not done the stage at which they are."""
        return sum(len(stage.here) for stage in self.stages.values())


def works_of(member: int, place: Place | None, since: float) -> list[Work]:
    """What is stored of a member who has been at a place since a time; None: in no lesson."""
    if place is None:
        return [Work(member, HERE, {"lesson": "", "stage": 0, "since": since})]
    here = Work(member, HERE, {"lesson": place.lesson, "stage": place.stage, "since": since})
    return [here, Work(member, _LESSON + place.lesson, {"done": list(place.done), "answers": list(place.answers)})]


def progress(works: Iterable[Work]) -> dict[str, LessonProgress]:
    """Progress by lesson, with only the stages at which somebody is or has been."""
    found: dict[str, LessonProgress] = {}
    here: dict[int, Work] = {}
    for work in works:
        if work.topic == HERE:
            here[work.member] = work
            continue
        lesson = found.setdefault(work.topic.removeprefix(_LESSON), LessonProgress())
        for stage in work.values["done"][:MOST_STAGES]:
            lesson.stages.setdefault(stage, Stage()).done.append(work.member)
        lesson.answers.update(work.values["answers"][:1])
    for work in here.values():
        if work.values["lesson"]:
            lesson = found.setdefault(work.values["lesson"], LessonProgress())
            stage = lesson.stages.setdefault(work.values["stage"], Stage())
            if work.member not in stage.done:
                stage.here[work.member] = work.values["since"]
    return found
