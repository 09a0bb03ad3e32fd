"""Links into the middle of a lesson: they find what the steps before would have set up."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.sampling.settings import Settings
from pages.beam.state import BeamState
from pages.course import catalog
from pages.course.lesson import FOLDER
from pages.course.state import CourseState
from pages.i18n.translator import WRITTEN
from pages.session.text_state import TextState
from pages.tokens.state import TokensState
from pages.training.state import TrainingState
from tests.pages.visit import follow_link, state_of

LATER = [  # language, lesson, number of a step that is not the first
    (path.parent.name, path.stem, number)
    for path in sorted(FOLDER.glob("*/*.toml"))
    if path.parent.name in WRITTEN
    for number in range(2, len(tomllib.loads(path.read_text("utf-8"))["step"]) + 1)
]
SETTINGS = Settings.__dataclass_fields__


def open_step(language: str, lesson: str, number: int) -> AppTest:
    page = tomllib.loads((FOLDER / language / f"{lesson}.toml").read_text("utf-8"))["step"][number - 1]["page"]
    app = follow_link({"lesson": f"{lesson}.{number}", "lang": language}, page)
    assert not app.exception
    return app


def setting(app: AppTest, name: str) -> Any:
    """The value in use of a setting, by its name in a lesson's file."""
    session, beam = state_of(app, TextState), app.session_state
    if name in SETTINGS:
        return getattr(session.settings, name)
    if name in ("strategy", "seed", "run_tokens"):
        return getattr(session, name)
    return beam[name]


def prompt(app: AppTest, page: str) -> str:
    """The text that a page works on."""
    if page == "tokens":
        return state_of(app, TokensState).text
    if page == "training":
        return state_of(app, TrainingState).text
    return state_of(app, TextState).prompt


@pytest.mark.slow
@pytest.mark.parametrize(("language", "lesson", "number"), LATER)
def test_a_step_has_the_last_prompt_and_settings_before_it(language: str, lesson: str, number: int) -> None:
    app = open_step(language, lesson, number)
    steps = tomllib.loads((FOLDER / language / f"{lesson}.toml").read_text("utf-8"))["step"][:number]
    shared = {"beam": "step", "transformer": "step", "attention": "step"}  # pages with the step page's text
    prompts = {shared.get(step["page"], step["page"]): step["prompt"] for step in steps if "prompt" in step}
    for page, text in prompts.items():
        assert prompt(app, page) == text
    expected = {name: value for step in steps for name, value in step.get("settings", {}).items()}
    shown = expected.pop("beam_shown", 0)
    on_page = {name for name in expected if name in app.session_state or not name.startswith(("beam_", "limits_"))}
    assert {name: setting(app, name) for name in on_page} == {name: expected[name] for name in on_page}
    if shown:
        assert state_of(app, BeamState).shown_levels == shown


@pytest.mark.parametrize("language", WRITTEN)
def test_the_beams_that_a_step_talks_about_have_grown(language: str) -> None:
    width = {"zh_Hant": 3, "en": 2}[language]
    for number, task_of_the_step_before in ((2, "beam_levels"), (3, "beam_opened"), (4, "beam_over")):
        beam = state_of(open_step(language, "beam", number), BeamState)
        assert beam.settings.width == width
        if task_of_the_step_before == "beam_over":
            assert beam.done
        else:
            assert beam.shown_levels == 3
            assert not beam.done


def test_no_step_is_done_by_what_a_link_sets_up() -> None:
    for language, lesson, number in LATER:
        if lesson in ("beam", "attention", "one-by-one", "families"):
            app = open_step(language, lesson, number)
            assert number - 1 not in state_of(app, CourseState).done.get(lesson, ())


def test_going_on_keeps_what_the_learner_has_made() -> None:
    """The next step of an open lesson is set up alone; a jump sets up the steps between."""
    [lesson] = [lesson for lesson in catalog.lessons("en") if lesson.name == "attention"]
    course = CourseState()
    assert course.begin(lesson) == lesson.steps[:1]
    assert course.begin(lesson, 1) == lesson.steps[1:2]
    assert course.begin(lesson, 3) == lesson.steps[2:4]
    assert course.begin(lesson, 1) == lesson.steps[1:2]
    course.leave()
    assert course.begin(lesson, 2) == lesson.steps[:3]
    assert course.begin(replace(lesson, name="another"), 2) == lesson.steps[:3]
