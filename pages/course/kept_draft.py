"""Draft of a visitor's own lesson, kept in the browser: a reload or another visit finds it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages.components.register import event_callback, register
from pages.course import own_lesson
from pages.course.own_lesson import OwnLesson
from pages.course.own_state import OwnLessonState

_component = register("kept_draft", Path(__file__))


def draw(own: OwnLessonState) -> None:
    """Keep the draft as it is now, or take over the kept one where this session has none.

    A draft whose steps have all been removed is forgotten.
    """

    def found(value: dict[str, Any]) -> None:
        if not own.has_begun and isinstance(value.get("lesson"), str):
            own.read(value["lesson"].encode())
            own.problem = None  # what is kept may be of another version: then there is no draft

    data = {
        "lesson": own_lesson.to_json(own.draft) if own.draft != OwnLesson() else "",
        "begun": own.has_begun,
    }
    _component(key="kept_draft", data=data, on_found_change=event_callback("kept_draft", "found", found))
