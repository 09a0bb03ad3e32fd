"""Unusual prompts in the input fields of every lesson: no step raises an exception.

The prompts are divided among the steps of a lesson.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.course import catalog
from pages.course.state import CourseState
from pages.i18n import translator
from pages.session.text_state import TextState
from tests.pages.course.test_lessons import ODD
from tests.pages.visit import state_of, visit
from tests.turns import todays

LESSONS = list(product([lesson.name for lesson in catalog.lessons("en")], translator.WRITTEN))
MAIN = ("next", "grow", "uses_run", "limits_start", "training_start", "compare_start")  # main button of each page


def boxes(app: AppTest) -> list[Any]:
    """Input fields for a prompt."""
    return [box for box in (*app.text_input, *app.text_area) if not box.disabled and box.key != "search"]


def check(app: AppTest, action: str) -> None:
    assert not app.exception, (action, app.exception[0].message)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), todays(LESSONS, 4))
def test_every_lesson_takes_any_prompt(name: str, language: str) -> None:
    lesson = catalog.lesson(language, name)
    assert lesson is not None
    for number, step in enumerate(lesson.steps):
        app = visit(step.page, language, f"{name}.{number + 1}")
        check(app, f"{name} {number}")
        assert state_of(app, CourseState).lesson == name
        prompts = ODD[number :: len(lesson.steps)]
        for prompt in prompts:
            for index in range(len(boxes(app))):
                boxes(app)[index].set_value(prompt).run()
                check(app, f"{name} {number}: {prompt!r}")
                if boxes(app)[index].key == "prompt":
                    assert state_of(app, TextState).prompt == prompt or app.error, "either set or refused with an error"
            for button in app.button:
                if button.key in MAIN and not button.disabled and prompt in prompts[-2:]:
                    button.click().run()
                    check(app, f"{name} {number}: {prompt!r}, {button.key}")
                    break
