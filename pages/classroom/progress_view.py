"""Component: progress of the class in the lessons, for the teacher: at each stage who is there, done, there for long.

The component (`progress_view.js`) reports nothing. It counts by itself who is at a stage for long, as time passes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.classroom.progress import STUCK_SECONDS, LessonProgress, Stage
from engine.classroom.records import Member
from pages.classroom.wording import name_of
from pages.components.register import register
from pages.i18n.translator import Translator
from pages.shell.extensions import Outline

_component = register("classroom_progress", Path(__file__), "two_distributions")
LABELS = ("step", "question", "here", "done", "stuck", "names", "no_names", "answers", "right", "note")
MOST_LESSONS = 4


def data(
    found: Mapping[str, LessonProgress],
    members: Sequence[Member],
    outline: Callable[[str], Outline | None],
    t: Translator,
) -> dict[str, Any]:
    """Data of the component: of the lessons in which most are at work; `outline`: of a lesson, by its name."""
    names = {member.number: name_of(member, t) for member in members}
    order = sorted(found.items(), key=lambda entry: (-entry[1].at_work, -_touched(entry[1]), entry[0]))
    known = [(lesson, outline(name)) for name, lesson in order]
    return {
        "title": t("classroom.progress.title", n=sum(lesson.at_work for lesson in found.values())),
        "lessons": [_lesson(lesson, plan, names) for lesson, plan in known if plan is not None][:MOST_LESSONS],
        "now": time.time(),
        "labels": {name: t(f"classroom.progress.{name}") for name in LABELS},
    }


def _touched(lesson: LessonProgress) -> int:
    return sum(len(stage.done) for stage in lesson.stages.values())


def _lesson(lesson: LessonProgress, plan: Outline, names: Mapping[int, str]) -> dict[str, Any]:
    stages = [*plan.steps, *([plan.question] if plan.answers else [])]
    return {
        "title": plan.title,
        "stages": [_stage(text, lesson.stages.get(n, Stage()), names) for n, text in enumerate(stages)],
        "steps": len(plan.steps),
        "answers": [[text, right, lesson.answers[n]] for n, (text, right) in enumerate(plan.answers)]
        if lesson.answers
        else [],
    }


def _stage(text: str, stage: Stage, names: Mapping[int, str]) -> dict[str, Any]:
    """`here`: (name, time at which the member is there for long) of each; `done`: names."""
    here = sorted(stage.here.items(), key=lambda entry: entry[1])
    return {
        "text": text,
        "here": [[names[number], since + STUCK_SECONDS] for number, since in here if number in names],
        "done": [names[number] for number in stage.done if number in names],
    }


def draw(values: dict[str, Any]) -> None:
    """The component."""
    _component(key="classroom_progress", data=values)
