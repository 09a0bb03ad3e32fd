"""The course: its lessons, how far the learner is, and where to go on. What was done their browser keeps."""

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
from pages.shell import address

_contents = register("contents", Path(__file__).with_name("lesson_list.js"), "progress")

session = session_state.get(TextState)
course = session_state.get(CourseState)
t = Translator(session_state.language())
lessons = catalog.lessons(t.language)


def open_lesson(value: dict[str, Any]) -> None:
    """The component says which; of a lesson that was begun, the first step that is still to be done."""
    lesson = catalog.lesson(t.language, str(value.get("lesson")))
    if lesson is not None:
        done = course.done.get(lesson.name, set())
        coach.start(lesson, next((step for step in range(len(lesson.steps)) if step not in done), 0))


def remember(value: dict[str, Any]) -> None:
    course.remember(value.get("kept"), [lesson.name for lesson in lessons])


def data() -> dict[str, Any]:
    """Plain data for the component."""
    shown = [
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
        "lessons": shown,
        "next": following,
        "kept": course.kept(),
        "labels": {word: t(f"course.{word}") for word in words},
    }


@st.fragment
def workbench() -> None:
    coach.turn_to_page(t)
    _contents(
        key="contents",
        data=data(),
        on_open_change=event_callback("contents", "open", open_lesson),
        on_remembered_change=event_callback("contents", "remembered", remember),
    )


address_bar = address.AddressBar(session, t, session)
minutes = 5 * round(sum(lesson.minutes for lesson in lessons) / 5)
frame.begin(t("course.title"), t("course.lead", minutes=minutes), session, t)
address_bar.restore()
workbench()
address_bar.update()
