"""Lesson sheet: the current step's text, its task, and whether it is done, beside a page.

In a wide window it is a column at the right. In a narrow one it is a line at the foot with the task and the button that
the task needs, and the text opens above it.

It is drawn inside the fragment of the page's workbench, so it is updated after every action there. The values of its
placeholders are computed from the running model each time. After the last step the sheet asks the lesson's question.
The component `coach.js` saves the progress in the browser (`progress.js`) and reports the events `go` ({turn, step}),
`answer` ({turn, index}), `term` ({turn, name}) and `leave`, and the state `guess` ({turn, text}).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from engine.classroom.progress import Place
from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.chat.state import ChatState
from pages.compare.state import CompareState
from pages.components.register import event_callback, register
from pages.course import catalog, glossary, kept_draft, own_state, places, sheet_data, step_setup
from pages.course.learner import Learner
from pages.course.lesson import PAGES, Lesson
from pages.course.own_lesson import MAX_STEPS, OWN
from pages.course.own_state import OwnLessonState
from pages.course.state import CourseState
from pages.i18n.translator import Translator
from pages.limits.state import LimitsState
from pages.quiz.state import QuizState
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.shell.extensions import Outline
from pages.shell.model_access import loaded_model
from pages.speculative.state import SpeculativeState
from pages.tokens.state import TokensState
from pages.training.state import TrainingState
from pages.transformer.state import TransformerState
from pages.uses.state import UsesState

if TYPE_CHECKING:
    from engine.model.model import Model
    from pages.session.query_params import QueryParams

_sheet = register("coach", Path(__file__), "progress", "in_sight", "notes", "question", "terms")
# While a lesson is open, the page's own introduction and examples are hidden. In a narrow window the sheet keeps its
# place at the end of the page, so that it covers nothing there. %s: selector of the highlighted element.
_STYLE = """<style>
[data-testid=stLayoutWrapper]:has(> .st-key-coach) {
  position: sticky; bottom: 0; z-index: 90; order: 99; margin-top: auto;
}
:is([data-testid=stLayoutWrapper], .stVerticalBlock):has(> [data-testid=stLayoutWrapper] > .st-key-coach),
[data-testid=stLayoutWrapper]:has(> * > [data-testid=stLayoutWrapper] > .st-key-coach) { display: contents; }
.stMainBlockContainer > .stVerticalBlock { min-height: calc(100vh - 1rem); }
.stMainBlockContainer { padding-bottom: 0; }
[data-testid=stLayoutWrapper]:has(> :is(.st-key-lead, .st-key-examples)) { display: none; }
@media screen { %s { outline: 2px dashed #D55E00; outline-offset: 1px; border-radius: 6px; } }
@media screen and (max-width: 1099.98px) {
  [data-testid=stLayoutWrapper]:has(> .st-key-coach) {
    --side: 2rem; margin-inline: calc(-1 * var(--side)); width: calc(100%% + 2 * var(--side)); max-width: none;
  }
}
@media (max-width: 640px) { [data-testid=stLayoutWrapper]:has(> .st-key-coach) { --side: 0.9rem; } }
@media screen and (min-width: 1100px) {
  .stMainBlockContainer { max-width: 1560px; padding-right: 400px; }
  [data-testid=stLayoutWrapper]:has(> .st-key-coach) {
    position: fixed; top: 0; right: 0; bottom: 0; width: 372px; margin: 0; overflow-y: auto;
  }
}
@media print {
  .stMainBlockContainer > .stVerticalBlock { display: flex; min-height: 0; }
  .stMainBlockContainer > .stVerticalBlock > :has(> .st-key-head) { order: -2; }
  [data-testid=stLayoutWrapper]:has(> .st-key-coach) { position: static; order: -1; margin: 0; }
}
</style>"""


class Coach:
    """The course as the companion of `pages.shell.extensions`, where the methods are described."""

    @property
    def active(self) -> bool:
        return session_state.get(CourseState).lesson is not None

    def settings(self) -> frozenset[str]:
        course, lesson = session_state.get(CourseState), current_lesson(session_state.language())
        return frozenset() if lesson is None else step_setup.settings_of(lesson.step_of(course.step))

    def prompts(self) -> frozenset[str]:
        return catalog.prompts()

    def turn_to_page(self, t: Translator) -> None:
        open_pending_page(t)

    def draw(self, model: Model | None, t: Translator) -> None:
        draw_sheet(model, t)

    def place(self) -> Place | None:
        course, lesson = session_state.get(CourseState), current_lesson(session_state.language())
        return None if lesson is None else course.place(lesson)

    def outline(self, lesson: str, t: Translator) -> Outline | None:
        own = session_state.get(OwnLessonState)
        found = own.lesson(t) if lesson == OWN else catalog.lesson(t.language, lesson)
        if found is None:
            return None
        answers = tuple((answer.text, answer.right) for answer in found.question.answers)
        return Outline(found.title, tuple(step.do for step in found.steps), found.question.ask, answers)

    def to_query(self) -> dict[str, str]:
        course, own = session_state.get(CourseState), session_state.get(OwnLessonState)
        return course.to_query() | own.to_query(course.lesson)

    def from_query(self, params: QueryParams, language: str) -> Callable[[], None] | None:
        own = session_state.get(OwnLessonState)
        if own.open_link(params):
            session_state.get(CourseState).forget(OWN)
        shared = own.lesson(Translator(language))
        lessons = (*catalog.lessons(language), *((shared,) if shared else ()))
        steps = session_state.get(CourseState).from_query(params, lessons)
        return partial(step_setup.set_up_steps, steps) if steps else None

    def offer(self, t: Translator) -> None:
        page, learner = session_state.current_page(), present_learner()
        if page not in PAGES or learner is None:
            return
        own = session_state.get(OwnLessonState)
        kept_draft.draw(own)
        if own.keys:  # above the button, which is at the end of the panel: what is below it is out of sight
            st.success(t("own_lesson.made", n=len(own.keys), most=MAX_STEPS))
            st.page_link(navigation.path("write"), label=t("own_lesson.title"), width="content")
        st.button(t("own_lesson.make"), key="own_make", on_click=lambda: own.add(own_state.captured(page, learner)))


def start_step(lesson: Lesson, step: int = 0) -> None:
    """Begin a stage of a lesson and apply its prompt and settings; for callbacks."""
    step_setup.set_up_steps(session_state.get(CourseState).begin(lesson, step))


def current_lesson(language: str) -> Lesson | None:
    """The open lesson; None where there is none."""
    name = session_state.get(CourseState).lesson
    if name == OWN:
        return session_state.get(OwnLessonState).lesson(Translator(language))
    return catalog.lesson(language, name) if name else None


def open_pending_page(t: Translator) -> None:
    """After a stage began: open its page, or rerun where it is open; after a part, open its recap.

    Called in the body of a page, not in callbacks.
    """
    course, lesson = session_state.get(CourseState), current_lesson(t.language)
    pending, course.page_pending = course.page_pending, False
    if pending and lesson is None:
        st.switch_page(navigation.path("recap"))
    if pending and lesson and (step := lesson.step_of(course.step)).page != session_state.current_page():
        st.switch_page(step.script)
    if pending and lesson:  # the prompt box and the settings lie outside the fragment: update them too
        st.rerun()


def draw_sheet(model: Model | None, t: Translator) -> None:
    """Draw the sheet of the open lesson, with a button back to the step's page where another one is open."""
    course, lesson = session_state.get(CourseState), current_lesson(t.language)
    if lesson is None or model is None:
        st.html("<style></style>")  # in place of that of a lesson which was left: Streamlit would keep it
        own = session_state.get(OwnLessonState)
        if own.finished:  # after the style, which has to stay the same element of the page
            own.finished = False
            st.toast(t("own_lesson.finished"), icon="✅")
        return
    step = lesson.step_of(course.step)
    learner = _learner(model)
    on_page = step.page == session_state.current_page()
    asks = course.asks(lesson)
    done = course.check(lesson, learner) if on_page else course.step in course.done.get(lesson.name, ())
    highlight = places.HIGHLIGHTS[step.point] if on_page and step.point and not (done or asks) else None
    st.html(_STYLE % (highlight or "#nothing"))  # which matches no element
    with st.container(key="coach"):
        _sheet(
            key="coach_sheet",
            data=sheet_data.head(course, lesson, t)
            | (
                sheet_data.asked(course, lesson, t)
                if asks
                else sheet_data.current_step(course, lesson, step, done, on_page, learner, t)
            )
            | sheet_data.in_sight(course, lesson, step, done, on_page, learner),
            on_go_change=event_callback("coach_sheet", "go", lambda value: _go_to_step(value, t.language)),
            on_answer_change=event_callback("coach_sheet", "answer", lambda value: _answer(value, t.language)),
            on_term_change=event_callback("coach_sheet", "term", lambda value: _open_term(value, t.language)),
            on_guess_change=event_callback("coach_sheet", "guess", lambda value: _note_guess(value, t.language)),
            on_leave_change=event_callback("coach_sheet", "leave", lambda _: course.leave()),
        )


def present_learner() -> Learner | None:
    """The visitor's state on all pages; None while the model is not loaded."""
    model = loaded_model(session_state.get(TextState))
    return None if model is None else _learner(model)


def _learner(model: Model) -> Learner:
    """The visitor's state on all pages."""
    return Learner(
        model=model,
        session=session_state.get(TextState),
        beam=session_state.get(BeamState),
        compare=session_state.get(CompareState),
        attention=session_state.get(AttentionState),
        tokens=session_state.get(TokensState),
        widget=session_state.widget,
        training=session_state.get(TrainingState),
        limits=session_state.get(LimitsState),
        speculative=session_state.get(SpeculativeState),
        uses=session_state.get(UsesState),
        quiz=session_state.get(QuizState),
        chat=session_state.get(ChatState),
        transformer=session_state.get(TransformerState),
    )


def _answer(value: dict[str, Any], language: str) -> None:
    """Callback: answer {index} to the lesson's question was chosen."""
    course, lesson = session_state.get(CourseState), current_lesson(language)
    if lesson is not None and value["turn"] == course.turn and course.asks(lesson):
        course.answer(lesson, int(value["index"]))


def _open_term(value: dict[str, Any], language: str) -> None:
    """Callback: begin the step in which the term {name} is explained."""
    if value["turn"] == session_state.get(CourseState).turn:
        open_term(str(value["name"]), language)


def open_term(name: str, language: str) -> None:
    """Begin the step in which a term of the glossary is explained; for callbacks."""
    term = glossary.terms(language).get(name)
    lesson = catalog.lesson(language, term.lesson) if term else None
    if term and lesson:
        start_step(lesson, term.stage)


def _note_guess(value: dict[str, Any], language: str) -> None:
    """Callback: the guess {text} was typed or chosen."""
    course, lesson = session_state.get(CourseState), current_lesson(language)
    if lesson is not None and value["turn"] == course.turn:
        course.guess(lesson, str(value["text"]))


def _go_to_step(value: dict[str, Any], language: str) -> None:
    """Callback: begin stage {step} (from 0) of the open lesson; past its last, the next lesson or the part's recap."""
    course, lesson = session_state.get(CourseState), current_lesson(language)
    if lesson is None or value["turn"] != course.turn:
        return
    if value["step"] < lesson.stages:
        return start_step(lesson, value["step"])
    if lesson.name == OWN:
        session_state.get(OwnLessonState).finished = True
        return course.leave()
    part = catalog.part_of(lesson.name)
    if lesson.name == part.lessons[-1]:
        course.finish(part.name)
    else:
        lessons = catalog.lessons(language)
        start_step(lessons[lessons.index(lesson) + 1])
