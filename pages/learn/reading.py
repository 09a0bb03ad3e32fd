"""Lessons as data: one TOML file a lesson and language, read and checked here. What a file may hold: see GUIDE.md.

Both languages have the same lessons in the same order, the file's name without `.toml` being a lesson's name.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "lessons"
PAGES = ("step", "beam", "compare", "attention", "tokens", "training", "limits", "uses", "quiz")
NAMED = re.compile(r"\{(\w+)\}")


class LessonError(ValueError):
    """A lesson's file holds what no lesson can have; the message names the file and says what."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a few sentences, one thing on a lab page, one thing to do. `task`: conditions that all must hold."""

    page: str
    text: str
    do: str
    then: str
    task: tuple[tuple[str, Any], ...]
    prompt: str | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    point: str | None = None

    @property
    def script(self) -> str:
        """Where the page's script lies."""
        return f"pages/{'learn' if self.page == 'quiz' else 'lab'}/{self.page}.py"


@dataclass(frozen=True, slots=True)
class Lesson:
    name: str
    title: str
    lead: str
    concepts: tuple[int, ...]
    minutes: int
    steps: tuple[Step, ...]


@cache
def lessons(language: str, folder: Path = FOLDER) -> tuple[Lesson, ...]:
    """Every lesson of a language, in order. Raises LessonError."""
    return tuple(_lesson(path) for path in sorted((folder / language).glob("*.toml")))


def lesson(language: str, name: str) -> Lesson | None:
    """The lesson of that name; None where there is none."""
    return next((found for found in lessons(language) if found.name == name), None)


@cache
def languages() -> tuple[str, ...]:
    """Those that have lessons."""
    return tuple(sorted(folder.name for folder in FOLDER.iterdir()))


@cache
def prompts() -> frozenset[str]:
    """Every prompt that a lesson begins with, in any language: what a demo allows besides the app's own."""
    every = (step for language in languages() for one in lessons(language) for step in one.steps)
    return frozenset(step.prompt for step in every if step.prompt)


def _lesson(path: Path) -> Lesson:
    from pages.learn import arranging, facts, tasks

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
                ("setting", [name for name, _ in settings], arranging.SETTINGS),
                ("point", [step.point] if step.point else [], arranging.POINTS),
                ("number", NAMED.findall(step.text + step.do + step.then), facts.FACTS),
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
