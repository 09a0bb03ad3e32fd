"""Links of the material: to steps of the course, and to the pages of the worksheet's tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pages.course import catalog
from pages.course.lesson import PLACEHOLDER, Step
from pages.course.state import CourseState
from pages.i18n.translator import Translator
from pages.session.query_params import QueryParams
from pages.shell import navigation
from pages.teachers.material import Task

_ELLIPSIS = "…"


def find(step: str, language: str) -> tuple[str, int, Step]:
    """Lesson title, number and content of the step that a link opens. Raises KeyError where it opens none."""
    course, lessons = CourseState(), catalog.lessons(language)
    if not course.from_query(QueryParams({"lesson": step}), lessons):
        raise KeyError(step)
    lesson = next(entry for entry in lessons if entry.name == course.lesson)
    at = min(course.step, len(lesson.steps) - 1)
    return lesson.title, at + 1, lesson.steps[at]


def to_step(step: str, language: str) -> dict[str, Any]:
    """Link to a step of the course, as `paper.js` draws it."""
    title, number, content = find(step, language)
    return {"path": f"{_path(content.page)}?lesson={step}", "text": f"{title} {number}"}


def to_task(task: Task, query: str, t: Translator) -> dict[str, Any]:
    """Link to the page of a task of the worksheet; `query`: its query with its placeholders filled in."""
    title = navigation.page_title(t, "" if task.page == navigation.STEP else task.page)
    return {"path": _path(task.page) + (f"?{query}" if query else ""), "text": title}


def does(step: str, language: str) -> str:
    """What the learner does in a step; values of the running model are left out."""
    return PLACEHOLDER.sub(_ELLIPSIS, find(step, language)[2].do)


def _path(page: str) -> str:
    """Path of a page relative to the app's."""
    return "" if page == navigation.STEP else page


def quoted(text: str) -> str:
    """A text as a value of a readable link."""
    return quote(text, safe="")


def prompts_query(texts: Sequence[str]) -> str:
    """Query of a readable link that offers these prompts."""
    return "prompts=" + "|".join(quoted(text) for text in texts)
