"""The sheet at the foot of a page while a lesson is on: a few sentences, the one thing to do, and whether it is done.

It stands in the fragment of the page's workbench, so that it answers every move of the learner. All its numbers are
worked out from the running model at that moment. The component (`coach.js`) writes what was done into the browser's
memory (`progress.js`) and reports what the learner wants: `go` ({turn, step}), `fold` ({small}), `leave`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.learn import arranging, facts, reading
from pages.learn.reading import NAMED, Lesson, Step
from pages.learn.table import Table
from pages.ui import component, state
from pages.ui.i18n import Translator

if TYPE_CHECKING:
    from engine.model.model import Model

_sheet = component.register("coach", "coach", "progress")
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


def start(lesson: Lesson, step: int = 0) -> None:
    """For callbacks: begin a step, with what it begins with on the table."""
    arranging.arrange(state.course().begin(lesson, step))


def at_hand(language: str) -> Lesson | None:
    """The lesson that accompanies the learner."""
    name = state.course().lesson
    return reading.lesson(language, name) if name else None


def turn_to_page(t: Translator) -> None:
    """Go to the page of the step that has begun, where that is another one. Only in a page's body."""
    course, lesson = state.course(), at_hand(t.language)
    turning, course.turning = course.turning, False
    if turning and lesson is None:
        st.switch_page("pages/learn/contents.py")
    if turning and lesson and (step := lesson.steps[course.step]).page != course.here:
        st.switch_page(step.script)
    if turning and lesson:  # the prompt and the settings stand outside of the fragment: they are to show what they say
        st.rerun()


def draw(model: Model | None, t: Translator) -> None:
    """The sheet, where a lesson is on; on another page than the step's it leads back there."""
    course, lesson = state.course(), at_hand(t.language)
    if lesson is None or model is None:
        return
    step = lesson.steps[min(course.step, len(lesson.steps) - 1)]
    table = Table(
        model, state.session(), state.beaming(), state.comparison(), state.looking(), state.cutting(), state.widget,
        state.forcing(), state.limits(), state.using(), state.quizzing(),
    )  # fmt: skip
    at_home = step.page == course.here
    done = course.look(lesson, table) if at_home else course.step in course.done.get(lesson.name, ())
    point = arranging.POINTS[step.point] if at_home and step.point and not done and not course.small else "#nothing"
    st.html(_STYLE % point)
    with st.container(key="coach"):
        _sheet(
            key="coach_sheet",
            data=data(lesson, step, done, at_home, table, t) | {"point": point, "end": step.point in arranging.ENDS},
            on_go_change=component.report("coach_sheet", "go", lambda value: go(value, t.language)),
            on_fold_change=component.report("coach_sheet", "fold", lambda value: course.fold(value["small"])),
            on_leave_change=component.report("coach_sheet", "leave", lambda _: course.leave()),
        )


def data(lesson: Lesson, step: Step, done: bool, at_home: bool, table: Table, t: Translator) -> dict[str, Any]:
    """Plain data for the component."""
    course = state.course()
    every = reading.lessons(t.language)
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
        "values": {name: facts.FACTS[name](table, t) for name in sorted(names)},
        "kept": course.kept(),
        "dark": state.dark(),
        "labels": {word: t(f"course.sheet.{word}") for word in
                   ("lesson", "do", "done", "on", "skip", "next", "last", "fold", "unfold", "leave", "home", "step",
                    "aside")},
    }  # fmt: skip


def go(value: dict[str, Any], language: str) -> None:
    """For callbacks: another step of this lesson, or the lesson after it (`step` is then as many as it has)."""
    course, lesson = state.course(), at_hand(language)
    if lesson is None or value["turn"] != course.turn:
        return
    if value["step"] < len(lesson.steps):
        start(lesson, value["step"])
        return
    every = reading.lessons(language)
    following = every.index(lesson) + 1
    if following < len(every):
        start(every[following])
    else:
        course.finish()
