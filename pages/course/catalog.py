"""Reading and validation of the lesson files: one TOML file per lesson and language, described in GUIDE.md.

A lesson's name is its file's name without `.toml`. All languages have the same lessons. `parts.toml` gives their order
and the parts of the course.
"""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pages.course import outcomes, placeholders, places, step_setup, tasks
from pages.course.lesson import (
    FOLDER,
    KINDS,
    PAGES,
    PLACEHOLDER,
    Answer,
    Guess,
    Ledger,
    Lesson,
    LessonError,
    Part,
    Question,
    Step,
)
from pages.i18n.translator import LANGUAGES

MAX_COLUMNS = 4  # of a ledger, in a sheet that is narrow


@cache
def parts(folder: Path = FOLDER) -> tuple[Part, ...]:
    """The parts of the course, in order."""
    content = tomllib.loads((folder / "parts.toml").read_text("utf-8"))
    return tuple(Part(part["name"], tuple(part["lessons"])) for part in content["part"])


def taste() -> tuple[str, ...]:
    """Names of the lessons of the short course, in order."""
    return tuple(tomllib.loads((FOLDER / "parts.toml").read_text("utf-8"))["taste"])


@cache
def lessons(language: str, folder: Path = FOLDER) -> tuple[Lesson, ...]:
    """All lessons of a language, in order. Raises LessonError."""
    names = [name for part in parts(folder) for name in part.lessons]
    files = {path.stem for path in (folder / language).glob("*.toml")}
    if (missing := files.symmetric_difference(names)) or len(set(names)) < len(names):
        raise LessonError(f"{language}: not once in parts.toml and once as a file: {', '.join(sorted(missing))}")
    return tuple(_read_lesson(folder / language / f"{name}.toml") for name in names)


def part_of(lesson: str) -> Part:
    """The part of the course that a lesson belongs to, by the lesson's name."""
    return next(part for part in parts() if lesson in part.lessons)


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
            try:
                steps.append(_read_step(raw))
            except LessonError as error:
                raise lesson_error(f"step {number}: {error}") from None
        try:
            question = _read_question(content["question"])
        except LessonError as error:
            raise lesson_error(str(error)) from None
        return Lesson(
            path.stem,
            content["title"],
            content["lead"],
            tuple(content["concepts"]),
            content["minutes"],
            tuple(steps),
            question,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise lesson_error(f"{type(error).__name__}: {error}") from error


def _read_step(raw: dict[str, Any]) -> Step:
    """Validated step. Raises LessonError without the name of the file."""
    task = tuple((name, value) for condition in raw.pop("task") for name, value in condition.items())
    settings = tuple(raw.pop("settings", {}).items())
    guess, ledger = raw.pop("guess", None), raw.pop("ledger", None)
    step = Step(
        task=task,
        settings=settings,
        guess=None if guess is None else _read_guess(guess),
        ledger=None if ledger is None else _read_ledger(ledger),
        **raw,
    )
    texts = step.text + step.do + step.then + (step.guess.ask if step.guess else "")
    _check("page", [step.page], PAGES)
    _check("task", [name for name, _ in task], tasks.TASKS)
    _check("setting", [name for name, _ in settings], step_setup.SETTINGS)
    _check("point", [step.point] if step.point else [], places.HIGHLIGHTS)
    _check("button", [step.press] if step.press else [], places.BUTTONS)
    _check("result", [step.result] if step.result else [], places.RESULTS)
    _check("number", PLACEHOLDER.findall(texts), placeholders.PLACEHOLDERS)
    if not task:
        raise LessonError("nothing to do")
    return step


def _read_question(raw: dict[str, Any]) -> Question:
    """Validated `question` of a lesson. Raises LessonError without the name of the file."""
    _check_entries("question", raw, ("ask", "answer"), ())
    for answer in raw["answer"]:
        _check_entries("answer", answer, ("text", "says"), ("right",))
    question = Question(raw["ask"], tuple(Answer(**answer) for answer in raw["answer"]))
    if len(question.answers) < 2 or [answer.right for answer in question.answers].count(True) != 1:
        raise LessonError("question: needs two answers or more, one of which is right")
    texts = "".join((question.ask, *(answer.text + answer.says for answer in question.answers)))
    if PLACEHOLDER.search(texts):
        raise LessonError("question: is asked without the model, so it cannot have numbers")
    return question


def _read_guess(raw: dict[str, Any]) -> Guess:
    """Validated `guess` of a step. Raises LessonError."""
    _check_entries("guess", raw, ("ask", "kind", "value"), ("options",))
    guess = Guess(raw["ask"], raw["kind"], raw["value"], tuple(raw.get("options", {}).items()))
    if not isinstance(guess.ask, str) or not guess.ask.strip():
        raise LessonError("guess: asks nothing")
    _check("kind of guess", [guess.kind], KINDS)
    if guess.kind != "choice":
        _check("number", [guess.value], placeholders.PLACEHOLDERS)
        if guess.options:
            raise LessonError(f"guess: options are for a choice, not for a {guess.kind}")
        return guess
    _check("outcome", [guess.value], outcomes.OUTCOMES)
    possible = outcomes.OUTCOMES[guess.value][0]
    if {name for name, _ in guess.options} != set(possible):
        raise LessonError(f"guess: the options of {guess.value} are {', '.join(possible)}")
    return guess


def _read_ledger(raw: dict[str, Any]) -> Ledger:
    """Validated `ledger` of a step. Raises LessonError."""
    _check_entries("ledger", raw, ("settings", "results"), ())
    ledger = Ledger(tuple(raw["settings"].items()), tuple(raw["results"].items()))
    _check("number", [name for _, name in (*ledger.settings, *ledger.results)], placeholders.PLACEHOLDERS)
    if not ledger.settings or not ledger.results or len(ledger.settings + ledger.results) > MAX_COLUMNS:
        raise LessonError(f"ledger: needs a setting and a result, at most {MAX_COLUMNS} columns")
    if set(raw["settings"]) & set(raw["results"]):
        raise LessonError("ledger: two columns have the same title")
    return ledger


def _check(kind: str, names: Iterable[str], known: Container[str]) -> None:
    """Raise LessonError where a name is not known."""
    unknown = sorted({str(name) for name in names if name not in known})
    if unknown:
        raise LessonError(f"no such {kind}: {', '.join(unknown)}")


def _check_entries(kind: str, raw: dict[str, Any], needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
    """Raise LessonError where an entry of a table is missing or unknown."""
    if missing := [name for name in needed if name not in raw]:
        raise LessonError(f"{kind}: {', '.join(missing)} is missing")
    _check(f"entry of a {kind}", raw, (*needed, *optional))
