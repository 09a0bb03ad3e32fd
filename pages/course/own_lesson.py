"""A lesson that a visitor wrote: its types, its JSON, its form in a link, and the lesson that it becomes.

All of it may come from strangers. Names are those of the course's own lessons, sizes are bounded, and texts are written
as those of a lesson are: plain text with **bold** parts, [terms] and {placeholders}.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from engine.errors import EngineError, SettingsError, TraceError
from engine.sampling.settings import NEXT_TOKEN_STRATEGIES, Settings
from engine.trace.link_codec import decode_text
from engine.trace.trace import MAX_SEED
from pages.course import own_tasks, placeholders
from pages.course.lesson import PAGES, PLACEHOLDER, Lesson, Question, Step
from pages.session import json_parameter

OWN = "own"  # name of the open lesson in links and in `CourseState`
VERSION = 1
MAX_STEPS = 12
MAX_TITLE = 80
MAX_PROMPT = 500
MAX_TEXTS = {"text": 800, "do": 200, "then": 400}  # characters
MAX_BYTES = 100_000  # of a file
MAX_LINK = 3_500  # characters of a lesson in a link, which may hold a draft and the text too
_SAMPLING = tuple(field.name for field in fields(Settings))


class OwnLessonError(EngineError):
    """A lesson that cannot be read. Codes: `own_lesson`, `own_lesson_size` (`most`), `own_lesson_version`."""


@dataclass(frozen=True, slots=True)
class OwnStep:
    """One step, with the names of `Step`; `do` may be "", for the words of its task."""

    page: str
    task: tuple[str, Any]
    prompt: str = ""
    settings: tuple[tuple[str, Any], ...] = ()
    text: str = ""
    do: str = ""
    then: str = ""


@dataclass(frozen=True, slots=True)
class OwnLesson:
    """Title and steps; a draft may have none yet."""

    title: str = ""
    steps: tuple[OwnStep, ...] = ()

    def as_lesson(self, instructions: tuple[str, ...], title: str) -> Lesson:
        """The lesson that the sheet shows, without a question; `instructions` and `title` where it has none.

        Each line of a text is a paragraph: in the sheet a single line break is none.
        """
        steps = tuple(
            Step(
                page=step.page, text=_known(step.text).replace("\n", "\n\n"), do=_known(step.do) or instruction,
                then=_known(step.then),
                task=(step.task,), prompt=step.prompt or None, settings=step.settings,
            )
            for step, instruction in zip(self.steps, instructions, strict=True)
        )  # fmt: skip
        return Lesson(OWN, self.title or title, "", (), 0, steps, Question("", ()))


def clean(text: str) -> str:
    """A text without control characters other than line breaks, and without lone surrogates."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))


def _known(text: str) -> str:
    """A text in which only placeholders that exist have braces."""
    return PLACEHOLDER.sub(lambda match: match[0] if match[1] in placeholders.PLACEHOLDERS else match[1], text)


def to_json(lesson: OwnLesson) -> str:
    """The lesson as a JSON object on one line."""
    return json.dumps(_document(lesson), ensure_ascii=False)


def _document(lesson: OwnLesson) -> dict[str, Any]:
    """The lesson as a JSON object."""
    steps = [
        {
            name: value
            for name, value in (
                ("page", step.page), ("task", list(step.task)), ("prompt", step.prompt),
                ("settings", dict(step.settings)), ("text", step.text), ("do", step.do), ("then", step.then),
            )
            if value
        }
        for step in lesson.steps
    ]  # fmt: skip
    return {"lesson": VERSION, "title": lesson.title, "steps": steps}


def from_json(data: str | bytes) -> OwnLesson:
    """A lesson written by `to_json`. Raises OwnLessonError."""
    if len(data) > MAX_BYTES:
        raise OwnLessonError("own_lesson_size", "too large", most=MAX_STEPS)
    try:
        raw = json.loads(data.decode("utf-8-sig") if isinstance(data, bytes) else data)
    except (ValueError, RecursionError) as error:
        raise OwnLessonError("own_lesson", f"no JSON: {error}") from error
    if not isinstance(raw, dict) or type(raw.get("lesson")) is not int:
        raise OwnLessonError("own_lesson", "no lesson")
    if raw["lesson"] > VERSION:
        raise OwnLessonError("own_lesson_version", f"version {raw['lesson']}")
    steps = raw.get("steps")
    if not isinstance(steps, list):
        raise OwnLessonError("own_lesson", "no steps")
    if len(steps) > MAX_STEPS:
        raise OwnLessonError("own_lesson_size", "too many steps", most=MAX_STEPS)
    return OwnLesson(_text(raw, "title", MAX_TITLE), tuple(_read_step(step) for step in steps))


def encode(lesson: OwnLesson) -> str:
    """The lesson for a link; "" where it is too long for one."""
    code = json_parameter.encoded(_document(lesson)) or ""
    return code if len(code) <= MAX_LINK else ""


def decode(code: str) -> OwnLesson:
    """A lesson written by `encode`. Raises OwnLessonError."""
    try:
        return from_json(decode_text(code)[0])
    except TraceError as error:
        raise OwnLessonError("own_lesson", str(error)) from error


def _read_step(raw: Any) -> OwnStep:
    """Validated step. Raises OwnLessonError."""
    if not isinstance(raw, Mapping) or raw.get("page") not in PAGES:
        raise OwnLessonError("own_lesson", "a step without a page")
    task = raw.get("task")
    if not isinstance(task, list) or len(task) != 2 or not isinstance(task[0], str):
        raise OwnLessonError("own_lesson", "a step without a task")
    found = own_tasks.find(raw["page"], task[0], task[1])
    if found is None:
        raise OwnLessonError("own_lesson", "an unknown task")
    return OwnStep(
        page=raw["page"],
        task=found[0].condition(found[1]),
        prompt=_text(raw, "prompt", MAX_PROMPT),
        settings=_settings(raw.get("settings", {})),
        **{name: _text(raw, name, most) for name, most in MAX_TEXTS.items()},
    )


def _text(raw: Mapping[str, Any], name: str, most: int) -> str:
    value = raw.get(name, "")
    if not isinstance(value, str) or value != clean(value):
        raise OwnLessonError("own_lesson", f"{name} is no text")
    if len(value) > most:
        raise OwnLessonError("own_lesson_size", f"{name} is too long", most=MAX_STEPS)
    return value


def _settings(raw: Any) -> tuple[tuple[str, Any], ...]:
    """Validated settings: those of a draw, the strategy and the seed. Raises OwnLessonError."""
    if not isinstance(raw, Mapping):
        raise OwnLessonError("own_lesson", "settings are no table")
    sampling = {name: value for name, value in raw.items() if name in _SAMPLING}
    others = {name: value for name, value in raw.items() if name not in _SAMPLING}
    try:
        replace(Settings(), **sampling)
    except (SettingsError, TypeError) as error:
        raise OwnLessonError("own_lesson", f"a setting is out of range: {error}") from error
    seed, strategy = others.pop("seed", 0), others.pop("strategy", NEXT_TOKEN_STRATEGIES[0])
    known = type(seed) is int and 0 <= seed <= MAX_SEED and strategy in NEXT_TOKEN_STRATEGIES
    if others or not known:
        raise OwnLessonError("own_lesson", "an unknown setting")
    return tuple(raw.items())
