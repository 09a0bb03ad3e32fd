"""Lessons as data: one TOML file a lesson and language, read and checked here. What a file may hold: see GUIDE.md.

Both languages have the same lessons in the same order, the file's name without `.toml` being a lesson's name.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pages.course import placeholders, step_setup, tasks
from pages.course.lesson import FOLDER, NAMED, PAGES, Lesson, LessonError, Step
from pages.i18n.translator import LANGUAGES


@cache
def lessons(language: str, folder: Path = FOLDER) -> tuple[Lesson, ...]:
    """Every lesson of a language, in order. Raises LessonError."""
    return tuple(_lesson(path) for path in sorted((folder / language).glob("*.toml")))


def lesson(language: str, name: str) -> Lesson | None:
    """The lesson of that name; None where there is none."""
    return next((found for found in lessons(language) if found.name == name), None)


@cache
def prompts() -> frozenset[str]:
    """Every prompt that a lesson begins with, in any language: what a demo allows besides the app's own."""
    every = (step for language in LANGUAGES for one in lessons(language) for step in one.steps)
    return frozenset(step.prompt for step in every if step.prompt)


def _lesson(path: Path) -> Lesson:
    def wrong(problem: str) -> LessonError:
        return LessonError(f"{path.parent.name}/{path.name}: {problem}")

    try:
        found = tomllib.loads(path.read_text("utf-8"))
        steps = []
        for number, raw in enumerate(found.pop("step"), 1):
            task = tuple((name, value) for condition in raw.pop("task") for name, value in condition.items())
            settings = tuple(raw.pop("settings", {}).items())
            step = Step(task=task, settings=settings, **raw)
            checks = (
                ("page", [step.page], PAGES),
                ("task", [name for name, _ in task], tasks.TASKS),
                ("setting", [name for name, _ in settings], step_setup.SETTINGS),
                ("point", [step.point] if step.point else [], step_setup.HIGHLIGHTS),
                ("number", NAMED.findall(step.text + step.do + step.then), placeholders.PLACEHOLDERS),
            )
            for what, names, known in checks:
                unknown = set(names) - set(known)
                if unknown:
                    raise wrong(f"step {number}: no such {what}: {', '.join(sorted(unknown))}")
            if not task:
                raise wrong(f"step {number}: nothing to do")
            steps.append(step)
        return Lesson(
            path.stem, found["title"], found["lead"], tuple(found["concepts"]), found["minutes"], tuple(steps)
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise wrong(f"{type(error).__name__}: {error}") from error
