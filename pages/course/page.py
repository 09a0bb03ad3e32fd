"""Course page: the list of lessons by part with the visitor's progress, which their browser saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.components.register import event_callback, register
from pages.course import catalog, coach
from pages.course.lesson import Lesson
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
lessons = {lesson.name: lesson for lesson in catalog.lessons(t.language)}


def open_lesson(value: dict[str, Any]) -> None:
    """Callback: open the lesson {lesson: name} at its first stage that is not done, else at its first."""
    lesson = lessons.get(str(value.get("lesson")))
    if lesson is not None:
        done = course.done.get(lesson.name, set())
        coach.start_step(lesson, next((stage for stage in range(lesson.stages) if stage not in done), 0))


def open_recap(value: dict[str, Any]) -> None:
    """Callback: open the recap of the part {part: name}."""
    if value.get("part") in [part.name for part in catalog.parts()]:
        course.finish(str(value["part"]))


def restore_progress(value: dict[str, Any]) -> None:
    """Callback: {kept: progress that the browser saved}."""
    course.restore_progress(value.get("kept"), lessons)


def lesson_data(lesson: Lesson) -> dict[str, Any]:
    """Data of one lesson."""
    return {
        "name": lesson.name,
        "title": lesson.title,
        "lead": lesson.lead,
        "minutes": t("course.minutes", count=lesson.minutes),
        "steps": lesson.stages,
        "done": course.count(lesson),
    }


def list_data() -> dict[str, Any]:
    """Data of the component `lesson_list.js`."""
    short = [lessons[name] for name in catalog.taste()]
    words = ("begin", "go_on", "again", "progress", "finished", "open_recap")
    return {
        "parts": [
            {
                "name": part.name,
                "title": t(f"course.part.{part.name}"),
                "lead": t(f"course.part.{part.name}_lead"),
                "minutes": t("course.minutes", count=sum(lessons[name].minutes for name in part.lessons)),
                "lessons": [lesson_data(lessons[name]) for name in part.lessons],
            }
            for part in catalog.parts()
        ],
        "taste": {
            "label": t("course.taste", minutes=sum(lesson.minutes for lesson in short)),
            "lessons": [{"name": lesson.name, "title": lesson.title} for lesson in short],
        },
        "next": next((name for name, lesson in lessons.items() if course.count(lesson) < lesson.stages), None),
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
        on_recap_change=event_callback("contents", "recap", open_recap),
        on_remembered_change=event_callback("contents", "remembered", restore_progress),
    )
    st.page_link(navigation.path("glossary"), label=t("course.glossary.link"), width="content")


address_bar = address.AddressBar(session, t, session)
minutes = 5 * round(sum(lesson.minutes for lesson in lessons.values()) / 5)
frame.begin(t("course.title"), t("course.lead", minutes=minutes), session, t)
address_bar.restore()
workbench()
st.page_link(navigation.path("write"), label=t("own_lesson.door"), width="content")
st.page_link(navigation.path("teachers"), label=t("teachers.door"), width="content")
address_bar.update()
