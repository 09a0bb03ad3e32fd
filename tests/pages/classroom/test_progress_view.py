"""Progress in the lessons: what a member reports, and what the teacher is given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.classroom import progress as lessons
from engine.classroom import shared
from engine.classroom.classroom import Classroom
from engine.classroom.progress import Place, progress
from engine.classroom.sqlite_store import SqliteStore
from pages.classroom import progress_view, state
from pages.course import catalog
from pages.course.coach import Coach
from pages.course.state import CourseState
from pages.i18n.translator import LANGUAGES, Translator
from pages.shell.extensions import Outline
from tests.pages.classroom.test_state import joined, opened


@pytest.fixture(autouse=True)
def school(monkeypatch: pytest.MonkeyPatch) -> Iterator[Classroom]:
    """A classroom of its own for each test."""
    store = SqliteStore()
    school = Classroom(store)
    monkeypatch.setattr(shared, "_classrooms", {":memory:": school})
    yield school
    store.close()


def test_a_member_reports_what_has_changed_and_the_time_of_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(state.time, "time", lambda: now[0])
    teacher = opened()
    ann = joined(teacher, "Ann")
    store, lesson = teacher.school.store, catalog.lessons("en")[0]
    course = CourseState()
    before = store.mark()
    ann.report(None)
    assert store.mark() == before, "nothing of who was in no lesson"
    course.begin(lesson)
    ann.report(course.place(lesson))
    after = store.mark()
    now[0] = 150.0
    ann.report(course.place(lesson))
    assert store.mark() == after, "nothing has changed"
    course.done[lesson.name] = {0}
    ann.report(course.place(lesson))
    found = progress(store.works(teacher.code))[lesson.name]
    assert found.stages == {0: lessons.Stage({}, [1])}
    course.begin(lesson, 1)
    ann.report(course.place(lesson))
    assert progress(store.works(teacher.code))[lesson.name].stages[1] == lessons.Stage({1: 150.0}, [])
    course.begin(lesson, len(lesson.steps))
    course.answer(lesson, 1)
    ann.report(course.place(lesson))
    assert progress(store.works(teacher.code))[lesson.name].answers == {1: 1}
    ann.report(None)
    assert progress(store.works(teacher.code))[lesson.name].at_work == 0
    teacher.remove(1)
    ann.report(course.place(lesson))
    assert ann.left == "removed" and store.works(teacher.code) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lesson_has_an_outline_and_its_stages_are_counted(language: str) -> None:
    t = Translator(language)
    for lesson in catalog.lessons(language):
        outline = Coach().outline(lesson.name, t)
        assert outline is not None
        assert outline.steps == tuple(step.do for step in lesson.steps) and outline.question == lesson.question.ask
    teacher = opened()
    people = [joined(teacher, name) for name in ("Ann", "Bob", "Cat")]
    first, second = catalog.lessons(language)[:2]
    people[0].report(Place(first.name, 1, (0,), ()))
    people[1].report(Place(second.name, 0, (), ()))
    people[2].report(Place(second.name, second.stages - 1, (), (0,)))
    teacher.school.store.put_work(teacher.code, lessons.works_of(3, Place("gone", 0, (), ()), 0.0)[1])
    found = progress(teacher.school.store.works(teacher.code))
    members = teacher.school.store.members(teacher.code)
    values = progress_view.data(found, members, lambda name: Coach().outline(name, t), t)
    assert [each["title"] for each in values["lessons"]] == [second.title, first.title], "the busier one first"
    assert "3" in values["title"]
    stages = values["lessons"][1]["stages"]
    assert stages[0]["done"] == ["Ann"] and [name for name, _ in stages[1]["here"]] == ["Ann"]
    assert len(stages) == first.stages and values["lessons"][1]["answers"] == []
    answers = values["lessons"][0]["answers"]
    assert [count for _, _, count in answers] == [1] + [0] * (len(answers) - 1)
    assert [right for _, right, _ in answers].count(True) == 1


def test_nothing_is_shown_before_anybody_is_in_a_lesson() -> None:
    t = Translator("en")
    values = progress_view.data({}, [], lambda name: Outline("", (), "", ()), t)
    assert values["lessons"] == []
