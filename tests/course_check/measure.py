"""The check of the course: every step is done by the robot, and every claim is measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from engine.model.model import Model
from pages.course import catalog, outcomes, placeholders
from pages.course.lesson import PLACEHOLDER, Step
from pages.i18n.translator import WRITTEN, Translator
from tests.course_check import claims
from tests.course_check.robot import Robot


class Finding(NamedTuple):
    """One result. `where`: language and step or page; `what`: the claim and its numbers."""

    holds: bool
    where: str
    what: str


def findings(model: Model, languages: tuple[str, ...] = WRITTEN, claims_only: bool = False) -> Iterator[Finding]:
    """All results for a model. `claims_only`: of the lessons, the steps with a claim."""
    for language in languages:
        t = Translator(language)
        for lesson in catalog.lessons(language):
            needed = [number for number, step in enumerate(lesson.steps) if _claimed(step)]
            last = max(needed, default=-1) + 1 if claims_only else len(lesson.steps)
            robot = Robot(model, t)
            for number, step in enumerate(lesson.steps[:last]):
                robot.begin(lesson, number)
                if claims_only and number not in needed:
                    continue
                where = f"{language} {lesson.name}.{number + 1}"
                done = robot.do(step)
                yield Finding(done, where, "the task " + "is done" if done else "the task cannot be done")
                yield from _shown_values(robot, step, where)
                for name, value in step.task if done else ():
                    if name in claims.OF_TASKS:
                        holds, numbers = claims.OF_TASKS[name](robot, value)
                        yield Finding(holds, where, f"{claims.OF_TASKS[name].__name__.replace('_', ' ')}: {numbers}")
        for what, (holds, numbers) in claims.of_pages(model, t):
            yield Finding(holds, f"{language} pages", f"{what}: {numbers}")


def _claimed(step: Step) -> bool:
    return any(name in claims.OF_TASKS and value not in claims.UNCLAIMED for name, value in step.task)


def _shown_values(robot: Robot, step: Step, where: str) -> Iterator[Finding]:
    """Values in what is shown once a step is done: in its explanation, its guess and its ledger."""
    names = {*PLACEHOLDER.findall(step.text + step.then)}
    names |= {name for _, name in (*step.ledger.settings, *step.ledger.results)} if step.ledger else set()
    if step.guess and step.guess.kind != "choice":
        names.add(step.guess.value)
    missing = [
        name for name in sorted(names) if placeholders.value(name, robot.learner, robot.t) == placeholders.NO_VALUE
    ]
    if step.guess and step.guess.kind == "choice" and outcomes.OUTCOMES[step.guess.value][1](robot.learner) is None:
        missing.append(step.guess.value)
    if missing:
        yield Finding(False, where, f"no value for {', '.join(missing)}")
