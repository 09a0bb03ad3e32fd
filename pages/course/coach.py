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

from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.chat.state import ChatState
from pages.compare.state import CompareState
from pages.components.register import event_callback, register
from pages.course import aims, catalog, glossary, guesses, placeholders, places, questions, step_setup
from pages.course.learner import Learner
from pages.course.lesson import PLACEHOLDER, Lesson, Step
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

    def to_query(self) -> dict[str, str]:
        return session_state.get(CourseState).to_query()

    def from_query(self, params: QueryParams, language: str) -> Callable[[], None] | None:
        steps = session_state.get(CourseState).from_query(params, catalog.lessons(language))
        return partial(step_setup.set_up_steps, steps) if steps else None


def start_step(lesson: Lesson, step: int = 0) -> None:
    """Begin a stage of a lesson and apply its prompt and settings; for callbacks."""
    step_setup.set_up_steps(session_state.get(CourseState).begin(lesson, step))


def current_lesson(language: str) -> Lesson | None:
    """The open lesson; None where there is none."""
    name = session_state.get(CourseState).lesson
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
            data=_head_data(lesson, t)
            | (_question_data(lesson, t) if asks else _step_data(lesson, step, done, on_page, learner, t))
            | _place_data(step, done, on_page, learner),
            on_go_change=event_callback("coach_sheet", "go", lambda value: _go_to_step(value, t.language)),
            on_answer_change=event_callback("coach_sheet", "answer", lambda value: _answer(value, t.language)),
            on_term_change=event_callback("coach_sheet", "term", lambda value: _open_term(value, t.language)),
            on_guess_change=event_callback("coach_sheet", "guess", lambda value: _note_guess(value, t.language)),
            on_leave_change=event_callback("coach_sheet", "leave", lambda _: course.leave()),
        )


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
        uses=session_state.get(UsesState),
        quiz=session_state.get(QuizState),
        chat=session_state.get(ChatState),
    )


def shown_then(step: Step, done: bool, holds: bool) -> str:
    """Explanation of a step that is done; one with values only while the task holds, since they are those of now."""
    return step.then if done and (holds or not PLACEHOLDER.search(step.then)) else ""


def _head_data(lesson: Lesson, t: Translator) -> dict[str, Any]:
    """Data of `coach.js` on the lesson: its place in the course, its stages, and what comes after them."""
    course = session_state.get(CourseState)
    lessons = catalog.lessons(t.language)
    number = [entry.name for entry in lessons].index(lesson.name)
    part = catalog.part_of(lesson.name)
    recap = lesson.name == part.lessons[-1]
    following = t("course.sheet.recap", part=t(f"course.part.{part.name}")) if recap else lessons[number + 1].title
    return {
        "turn": course.turn,
        "title": lesson.title,
        "number": number + 1,
        "of": len(lessons),
        "step": course.step,
        "steps": [stage in course.done.get(lesson.name, ()) for stage in range(lesson.stages)],
        "next": following if recap else t("course.sheet.next", title=following),
        "kept": course.progress(),
        "labels": {word: t(f"course.sheet.{word}") for word in
                   ("lesson", "do", "done", "on", "skip", "fold", "unfold", "leave", "home", "step", "ask", "show",
                    "part", "before", "guess", "note", "tried", "empty", "right", "wrong", "choose", "met", "later")},
    }  # fmt: skip


def _question_data(lesson: Lesson, t: Translator) -> dict[str, Any]:
    """Data of `coach.js` on the question after the last step."""
    course = session_state.get(CourseState)
    given = course.answers.get(lesson.name, ())
    answered = course.is_answered(lesson)
    question = questions.data(lesson.question, given[-1] if given else None)
    return {
        "text": "",
        "do": lesson.question.ask,
        "then": "",
        "done": bool(given) or answered,
        "home": True,
        "parts": (0, 0),
        "values": {},
        "terms": glossary.used([lesson.question.ask], t),
        "question": question | {"later": bool(given) and not answered},
        "guess": None,
        "compared": None,
        "ledger": None,
    }


def _step_data(
    lesson: Lesson, step: Step, done: bool, on_page: bool, learner: Learner, t: Translator
) -> dict[str, Any]:
    """Data of `coach.js` on a step."""
    course = session_state.get(CourseState)
    then = shown_then(step, done, on_page and course.holds)
    notes = course.notes_of(lesson)
    texts = [step.text, step.do, then, step.guess.ask if step.guess else ""]
    names = set(PLACEHOLDER.findall("".join(texts)))
    return {
        "text": step.text,
        "do": step.do,
        "then": then,
        "done": done,
        "home": on_page,
        "parts": course.parts if on_page else (0, 0),
        "terms": glossary.used(texts, t),
        "question": None,
        "values": {name: placeholders.value(name, learner, t) for name in sorted(names)},
        "guess": guesses.field(step.guess, notes.guess, t) if step.guess and not done else None,
        "compared": guesses.comparison(step.guess, notes.guess, notes.truth, t) if step.guess else None,
        "ledger": notes.table(step.ledger, t.language) if step.ledger else None,
    }


def _place_data(step: Step, done: bool, on_page: bool, learner: Learner) -> dict[str, Any]:
    """Data of `coach.js`: selectors of the button to press next and of what is to be seen, the most important first.

    A step that is done shows its result. `end`: that of the first the lower end is to be seen.
    """
    course, lesson = session_state.get(CourseState), current_lesson(session_state.language())
    if not on_page or lesson is None or course.asks(lesson):
        return {"press": "", "see": [], "end": False}
    if done:
        names, press = [aims.result(step)], None
    else:
        aim = aims.next_aim(step, course.met, learner, course.memory)
        press = aim if aim in places.BUTTONS else None
        names = [None if press else aim, step.point, places.BESIDE.get(step.point or "")]
    see = [name for name in dict.fromkeys(names) if name]
    return {
        "press": places.selector(press) if press else "",
        "see": [places.selector(name) for name in see],
        "end": bool(see) and see[0] in places.LOWER_END,
    }


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
    part = catalog.part_of(lesson.name)
    if value["step"] < lesson.stages:
        start_step(lesson, value["step"])
    elif lesson.name == part.lessons[-1]:
        course.finish(part.name)
    else:
        lessons = catalog.lessons(language)
        start_step(lessons[lessons.index(lesson) + 1])
