"""The sheet at the foot of a page while a lesson is on: a few sentences, the one thing to do, and whether it is done.

It stands in the fragment of the page's workbench, so that it answers every move of the learner. All its numbers are
worked out from the running model at that moment. The component (`coach.js`) writes what was done into the browser's
memory (`progress.js`) and reports what the learner wants: `go` ({turn, step}), `fold` ({small}), `leave`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.compare.state import CompareState
from pages.components.register import event_callback, register
from pages.course import catalog, placeholders, step_setup
from pages.course.learner import Learner
from pages.course.lesson import NAMED, Lesson, Step
from pages.course.state import CourseState
from pages.i18n.translator import Translator
from pages.limits.state import LimitsState
from pages.quiz.state import QuizState
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.tokens.state import TokensState
from pages.training.state import TrainingState
from pages.uses.state import UsesState

if TYPE_CHECKING:
    from engine.model.model import Model
    from pages.session.query_params import QueryParams

_sheet = register("coach", Path(__file__), "progress")
# While a lesson is on, its own words stand for the page's; the sheet stays in sight at the foot of the window.
_STYLE = """<style>
[data-testid=stLayoutWrapper]:has(> .st-key-coach) {
  position: sticky; bottom: 0; z-index: 90; order: 99; margin-top: auto;
}
:is([data-testid=stLayoutWrapper], .stVerticalBlock):has(> [data-testid=stLayoutWrapper] > .st-key-coach),
[data-testid=stLayoutWrapper]:has(> * > [data-testid=stLayoutWrapper] > .st-key-coach) { display: contents; }
.stMainBlockContainer > .stVerticalBlock { min-height: calc(100vh - 2.6rem); }
.stMainBlockContainer { padding-bottom: 0; }
.st-key-lead, .st-key-examples { display: none; }
:is(%s) { outline: 2px dashed #D55E00; outline-offset: 5px; border-radius: 6px; }
</style>"""


class Coach:
    """The course as the shell's companion; see `shell.extensions`."""

    @property
    def active(self) -> bool:
        return session_state.get(CourseState).lesson is not None

    def prompts(self) -> frozenset[str]:
        return catalog.prompts()

    def turn_to_page(self, t: Translator) -> None:
        turn_to_page(t)

    def draw(self, model: Model | None, t: Translator) -> None:
        draw(model, t)

    def to_query(self) -> dict[str, str]:
        return session_state.get(CourseState).to_query()

    def from_query(self, params: QueryParams, language: str) -> Callable[[], None] | None:
        step = session_state.get(CourseState).from_query(params, catalog.lessons(language))
        return None if step is None else partial(step_setup.set_up_step, step)


def start(lesson: Lesson, step: int = 0) -> None:
    """Begin a step of a lesson and set up its prompt and settings; for callbacks."""
    step_setup.set_up_step(session_state.get(CourseState).begin(lesson, step))


def current_lesson(language: str) -> Lesson | None:
    """The lesson that is on; None without one."""
    name = session_state.get(CourseState).lesson
    return catalog.lesson(language, name) if name else None


def turn_to_page(t: Translator) -> None:
    """Switch to the page of a step that has just begun, where that is another page; only in a page's body."""
    course, lesson = session_state.get(CourseState), current_lesson(t.language)
    turning, course.turning = course.turning, False
    if turning and lesson is None:
        st.switch_page(navigation.path("learn"))
    if turning and lesson and (step := lesson.steps[course.step]).page != session_state.current_page():
        st.switch_page(step.script)
    if (
        turning and lesson
    ):  # the prompt box and the settings are outside of the fragment: draw them with their new values
        st.rerun()


def draw(model: Model | None, t: Translator) -> None:
    """The sheet of the lesson that is on; on another page than the step's it leads back there."""
    course, lesson = session_state.get(CourseState), current_lesson(t.language)
    if lesson is None or model is None:
        return
    step = lesson.steps[min(course.step, len(lesson.steps) - 1)]
    learner = Learner(
        model,
        session_state.get(TextState),
        session_state.get(BeamState),
        session_state.get(CompareState),
        session_state.get(AttentionState),
        session_state.get(TokensState),
        session_state.widget,
        session_state.get(TrainingState),
        session_state.get(LimitsState),
        session_state.get(UsesState),
        session_state.get(QuizState),
    )
    at_home = step.page == session_state.current_page()
    done = course.check(lesson, learner) if at_home else course.step in course.done.get(lesson.name, ())
    highlight = step_setup.HIGHLIGHTS[step.point] if at_home and step.point and not done and not course.small else None
    selector = highlight or "#nothing"
    st.html(_STYLE % selector)
    with st.container(key="coach"):
        _sheet(
            key="coach_sheet",
            data=data(lesson, step, done, at_home, learner, t)
            | {"point": selector, "end": step.point in step_setup.SCROLL_TO_BOTTOM},
            on_go_change=event_callback("coach_sheet", "go", lambda value: go(value, t.language)),
            on_fold_change=event_callback("coach_sheet", "fold", lambda value: course.fold(value["small"])),
            on_leave_change=event_callback("coach_sheet", "leave", lambda _: course.leave()),
        )


def data(lesson: Lesson, step: Step, done: bool, at_home: bool, learner: Learner, t: Translator) -> dict[str, Any]:
    """Plain data for the component."""
    course = session_state.get(CourseState)
    every = catalog.lessons(t.language)
    number = [one.name for one in every].index(lesson.name)
    following = every[number + 1] if number + 1 < len(every) else None
    names = set(NAMED.findall(step.text + step.do + step.then * done))
    return {
        "turn": course.turn,
        "title": lesson.title,
        "number": number + 1,
        "of": len(every),
        "step": course.step,
        "steps": [index in course.done.get(lesson.name, ()) for index in range(len(lesson.steps))],
        "text": step.text,
        "do": step.do,
        "then": step.then if done else "",
        "done": done,
        "home": at_home,
        "small": course.small,
        "next": following.title if following else None,
        "values": {name: placeholders.PLACEHOLDERS[name](learner, t) for name in sorted(names)},
        "kept": course.kept(),
        
        "labels": {word: t(f"course.sheet.{word}") for word in
                   ("lesson", "do", "done", "on", "skip", "next", "last", "fold", "unfold", "leave", "home", "step",
                    "aside")},
    }  # fmt: skip


def go(value: dict[str, Any], language: str) -> None:
    """For callbacks: another step of this lesson, or the lesson after it (`step` is then as many as it has)."""
    course, lesson = session_state.get(CourseState), current_lesson(language)
    if lesson is None or value["turn"] != course.turn:
        return
    if value["step"] < len(lesson.steps):
        start(lesson, value["step"])
        return
    every = catalog.lessons(language)
    following = every.index(lesson) + 1
    if following < len(every):
        start(every[following])
    else:
        course.finish()
