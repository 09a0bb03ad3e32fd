"""Recap of a part of the course: its terms, and the questions that are not answered right yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.components.register import event_callback, register
from pages.course import catalog, coach, glossary, questions
from pages.course.lesson import Lesson, Part
from pages.course.state import CourseState
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, navigation

if TYPE_CHECKING:
    from engine.model.model import Model
    from pages.session.query_params import QueryParams

_recap = register("recap", Path(__file__).with_name("recap.js"), "progress", "question", "terms")

session = session_state.get(TextState)
course = session_state.get(CourseState)
t = Translator(session_state.language())


class RecapUrl:
    """The part in the URL, such as `part=inside`."""

    def to_query(self) -> dict[str, str]:
        return {"part": current_part().name}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        names = tuple(part.name for part in catalog.parts())
        course.recap = params.one_of("part", names, names[0])


def current_part() -> Part:
    """The part whose recap is open, the first if none was chosen."""
    parts = catalog.parts()
    return next((part for part in parts if part.name == course.recap), parts[0])


def part_lessons(part: Part) -> list[Lesson]:
    """The lessons of a part."""
    return [lesson for lesson in catalog.lessons(t.language) if lesson.name in part.lessons]


def answer(value: dict[str, Any]) -> None:
    """Callback: {lesson: name, index: answer chosen}."""
    lesson = catalog.lesson(t.language, str(value.get("lesson")))
    if lesson is not None:
        course.review(lesson, int(value["index"]))


def open_lesson(value: dict[str, Any]) -> None:
    """Callback: open the lesson {lesson: name} at its first step."""
    lesson = catalog.lesson(t.language, str(value.get("lesson")))
    if lesson is not None:
        coach.start_step(lesson)


def question_data(lesson: Lesson) -> dict[str, Any]:
    """Data of a lesson's question; `open` until it is answered right."""
    chosen = course.reviewed.get(lesson.name)
    data = questions.data(lesson.question, chosen)
    return data | {
        "key": lesson.name,
        "title": lesson.title,
        "open": not course.is_answered(lesson),
        "shown": chosen is not None,
        "terms": glossary.used([lesson.question.ask, str(data["says"])], t),
    }


def next_part(part: Part) -> dict[str, Any]:
    """Data of the button that begins the next part."""
    return {"lesson": part.lessons[0], "label": t("course.recap.next", part=t(f"course.part.{part.name}"))}


def recap_data(part: Part) -> dict[str, Any]:
    """Data of the component `recap.js`."""
    parts, lessons = catalog.parts(), part_lessons(part)
    number = [entry.name for entry in parts].index(part.name)
    following = parts[number + 1] if number + 1 < len(parts) else None
    asked = [question_data(lesson) for lesson in lessons]
    right = sum(not question["open"] for question in asked)
    return {
        "title": t(f"course.part.{part.name}"),
        "sum": t(f"course.part.{part.name}_sum"),
        "questions": [question for question in asked if question["open"] or question["shown"]],
        "told": t("course.recap.all_right") if right == len(asked) else
                t("course.recap.result", right=right, count=len(asked)),
        "terms": [glossary.entry(term, t) for term in glossary.terms(t.language).values()
                  if term.lesson in part.lessons],
        "next": next_part(following) if following else None,
        "kept": course.progress(),
        "labels": {word: t(f"course.recap.{word}") for word in ("questions", "terms", "lesson")} |
                  {word: t(f"course.sheet.{word}") for word in ("right", "wrong")},
    }  # fmt: skip


@st.fragment
def workbench() -> None:
    """The recap, redrawn without the rest of the page."""
    coach.open_pending_page(t)
    part = current_part()
    _recap(
        key="recap",
        data=recap_data(part),
        on_answer_change=event_callback("recap", "answer", answer),
        on_open_change=event_callback("recap", "open", open_lesson),
        on_term_change=event_callback("recap", "term", lambda value: coach.open_term(str(value["name"]), t.language)),
        on_remembered_change=event_callback(
            "recap", "remembered", lambda value: course.restore_progress(value.get("kept"), all_names())
        ),
    )
    with st.container(horizontal=True, gap="medium"):
        st.page_link(navigation.path("learn"), label=t("course.recap.all"), width="content")
        st.page_link(navigation.path("glossary"), label=t("course.glossary.link"), width="content")


def all_names() -> list[str]:
    """Names of all lessons."""
    return [lesson.name for lesson in catalog.lessons(t.language)]


address_bar = address.AddressBar(session, t, RecapUrl())
frame.begin(t("course.recap.title"), t("course.recap.lead"), session, t)
address_bar.restore()
workbench()
address_bar.update()
