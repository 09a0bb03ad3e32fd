"""Reading and validation of the lesson files: one TOML file per lesson and language, described in GUIDE.md.

A lesson's name is its file's name without `.toml`. Both languages have the same lessons; the names give their order.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pages.course import placeholders, places, step_setup, tasks
from pages.course.lesson import FOLDER, PAGES, PLACEHOLDER, Lesson, LessonError, Step
from pages.i18n.translator import LANGUAGES


@cache
def lessons(language: str, folder: Path = FOLDER) -> tuple[Lesson, ...]:
    """All lessons of a language, in order. Raises LessonError."""
    return tuple(_read_lesson(path) for path in sorted((folder / language).glob("*.toml")))


def lesson(language: str, name: str) -> Lesson | None:
    """The lesson of that name; None where there is none."""
    return next((entry for entry in lessons(language) if entry.name == name), None)


@cache
def prompts() -> frozenset[str]:
    """The prompts of all steps in all languages. A host that restricts prompts allows these too."""
    steps = (step for language in LANGUAGES for entry in lessons(language) for step in entry.steps)
    return frozenset(step.prompt for step in steps if step.prompt)


def _read_lesson(path: Path) -> Lesson:
    """Parse and validate one file. Raises LessonError."""

    def lesson_error(problem: str) -> LessonError:
        return LessonError(f"{path.parent.name}/{path.name}: {problem}")

    try:
        content = tomllib.loads(path.read_text("utf-8"))
        steps = []
        for number, raw in enumerate(content.pop("step"), 1):
            task = tuple((name, value) for condition in raw.pop("task") for name, value in condition.items())
            settings = tuple(raw.pop("settings", {}).items())
            step = Step(task=task, settings=settings, **raw)
            checks = (
                ("page", [step.page], PAGES),
                ("task", [name for name, _ in task], tasks.TASKS),
                ("setting", [name for name, _ in settings], step_setup.SETTINGS),
                ("point", [step.point] if step.point else [], places.HIGHLIGHTS),
                ("button", [step.press] if step.press else [], places.BUTTONS),
                ("result", [step.result] if step.result else [], places.RESULTS),
                ("number", PLACEHOLDER.findall(step.text + step.do + step.then), placeholders.PLACEHOLDERS),
            )
            for kind, names, known in checks:
                unknown = set(names) - set(known)
                if unknown:
                    raise lesson_error(f"step {number}: no such {kind}: {', '.join(sorted(unknown))}")
            if not task:
                raise lesson_error(f"step {number}: nothing to do")
            steps.append(step)
        return Lesson(
            path.stem, content["title"], content["lead"], tuple(content["concepts"]), content["minutes"], tuple(steps)
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise lesson_error(f"{type(error).__name__}: {error}") from error
