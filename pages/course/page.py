"""Course page: the list of lessons with the visitor's progress, which their browser saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.components.register import event_callback, register
from pages.course import catalog, coach
from pages.course.state import CourseState
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, navigation

_lesson_list = register("contents", Path(__file__).with_name("lesson_list.js"), "progress")

session = session_state.get(TextState)
course = session_state.get(CourseState)
t = Translator(session_state.language())
lessons = catalog.lessons(t.language)


def open_lesson(value: dict[str, Any]) -> None:
    """Callback: open the lesson {lesson: name} at its first step that is not done, else at its first."""
    lesson = catalog.lesson(t.language, str(value.get("lesson")))
    if lesson is not None:
        done = course.done.get(lesson.name, set())
        coach.start_step(lesson, next((step for step in range(len(lesson.steps)) if step not in done), 0))


def restore_progress(value: dict[str, Any]) -> None:
    """Callback: {kept: progress that the browser saved}."""
    course.restore_progress(value.get("kept"), [lesson.name for lesson in lessons])


def list_data() -> dict[str, Any]:
    """Data of the component `lesson_list.js`."""
    entries = [
        {
            "name": lesson.name,
            "title": lesson.title,
            "lead": lesson.lead,
            "minutes": t("course.minutes", count=lesson.minutes),
            "steps": len(lesson.steps),
            "done": course.count(lesson),
        }
        for lesson in lessons
    ]
    following = next((lesson.name for lesson in lessons if course.count(lesson) < len(lesson.steps)), None)
    words = ("begin", "go_on", "again", "progress", "finished")
    return {
        "lessons": entries,
        "next": following,
        "kept": course.progress(),
        "labels": {word: t(f"course.{word}") for word in words},
    }


@st.fragment
def workbench() -> None:
    """The list of lessons, redrawn without the rest of the page."""
    coach.open_pending_page(t)
    _lesson_list(
        key="contents",
        data=list_data(),
        on_open_change=event_callback("contents", "open", open_lesson),
        on_remembered_change=event_callback("contents", "remembered", restore_progress),
    )


address_bar = address.AddressBar(session, t, session)
minutes = 5 * round(sum(lesson.minutes for lesson in lessons) / 5)
frame.begin(t("course.title"), t("course.lead", minutes=minutes), session, t)
address_bar.restore()
workbench()
st.page_link(navigation.path("teachers"), label=t("teachers.door"), width="content")
address_bar.update()
