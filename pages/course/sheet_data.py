"""Data of the lesson sheet for `coach.js`: the lesson, its current step or question, and what is to be in sight.

No Streamlit here.
"""

from __future__ import annotations

from typing import Any

from pages.course import aims, catalog, glossary, guesses, placeholders, places, questions
from pages.course.learner import Learner
from pages.course.lesson import PLACEHOLDER, Lesson, Step
from pages.course.own_lesson import OWN
from pages.course.state import CourseState
from pages.i18n.translator import Translator


def shown_then(step: Step, done: bool, holds: bool) -> str:
    """Explanation of a step that is done; one with values only while the task holds, since they are those of now."""
    return step.then if done and (holds or not PLACEHOLDER.search(step.then)) else ""


def head(course: CourseState, lesson: Lesson, t: Translator) -> dict[str, Any]:
    """The lesson: its place in the course, its stages, and what comes after them."""
    words = (
        "lesson", "do", "done", "on", "skip", "fold", "unfold", "leave", "home", "step", "ask", "show", "part",
        "before", "guess", "note", "tried", "empty", "right", "wrong", "choose", "met", "later",
    )  # fmt: skip
    labels = {word: t(f"course.sheet.{word}") for word in words}
    common = {
        "turn": course.turn,
        "title": lesson.title,
        "step": course.step,
        "steps": [stage in course.done.get(lesson.name, ()) for stage in range(lesson.stages)],
        "asks": lesson.stages > len(lesson.steps),
        "kept": course.progress(),
    }
    if lesson.name == OWN:
        own = {"number": 1, "of": 1, "next": t("own_lesson.end")}
        return common | own | {"labels": labels | {"lesson": t("own_lesson.sheet")}}
    lessons = catalog.lessons(t.language)
    number = [entry.name for entry in lessons].index(lesson.name)
    part = catalog.part_of(lesson.name)
    recap = lesson.name == part.lessons[-1]
    following = t("course.sheet.recap", part=t(f"course.part.{part.name}")) if recap else lessons[number + 1].title
    return common | {
        "number": number + 1,
        "of": len(lessons),
        "next": following if recap else t("course.sheet.next", title=following),
        "labels": labels,
    }


def asked(course: CourseState, lesson: Lesson, t: Translator) -> dict[str, Any]:
    """The question after the last step."""
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
        "terms": glossary.used([lesson.question.ask, str(question["says"])], t),
        "question": question | {"later": bool(given) and not answered},
        "guess": None,
        "compared": None,
        "ledger": None,
    }


def current_step(
    course: CourseState, lesson: Lesson, step: Step, done: bool, on_page: bool, learner: Learner, t: Translator
) -> dict[str, Any]:
    """A step."""
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


def in_sight(
    course: CourseState, lesson: Lesson, step: Step, done: bool, on_page: bool, learner: Learner
) -> dict[str, Any]:
    """Selectors of the button to press next and of what is to be seen, the most important first.

    A step that is done shows its result. `end`: that of the first the lower end is to be seen.
    """
    if not on_page or course.asks(lesson):
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
