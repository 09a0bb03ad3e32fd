"""Ten prompts that nobody expected, typed into the boxes of every lesson, some at each of its steps: none breaks."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.course import catalog
from pages.course.state import CourseState
from pages.i18n import translator
from pages.session.text_state import TextState
from tests.pages.course.test_lessons import ODD
from tests.pages.visit import state_of, visit

MAIN = ("next", "grow", "uses_run", "limits_start", "training_start", "compare_start")  # what each page is there for


def boxes(app: AppTest) -> list[Any]:
    """Where a prompt can be typed."""
    return [box for box in (*app.text_input, *app.text_area) if not box.disabled and box.key != "search"]


def check(app: AppTest, doing: str) -> None:
    assert not app.exception, (doing, app.exception[0].message)


@pytest.mark.parametrize("language", translator.LANGUAGES)
@pytest.mark.parametrize("name", [lesson.name for lesson in catalog.lessons("en")])
def test_every_lesson_takes_any_prompt(language: str, name: str) -> None:
    lesson = catalog.lesson(language, name)
    assert lesson is not None
    for number, step in enumerate(lesson.steps):
        app = visit(step.page, language, f"{name}.{number + 1}")
        check(app, f"{name} {number}")
        assert state_of(app, CourseState).lesson == name
        mine = ODD[number :: len(lesson.steps)]
        for prompt in mine:
            for at in range(len(boxes(app))):
                boxes(app)[at].set_value(prompt).run()
                check(app, f"{name} {number}: {prompt!r}")
                if boxes(app)[at].key == "prompt":
                    assert state_of(app, TextState).prompt == prompt or app.error, "taken, or said why not"
            for button in app.button:
                if button.key in MAIN and not button.disabled and prompt in mine[-2:]:
                    button.click().run()
                    check(app, f"{name} {number}: {prompt!r}, {button.key}")
                    break
