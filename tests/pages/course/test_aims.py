"""What a task needs next, where its result is seen, and the parts of it that are done."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.model import Model
from engine.serving import model_registry
from pages.course import aims, catalog, places, tasks
from pages.course.learner import Learner
from pages.course.lesson import Step
from pages.course.state import CourseState
from pages.i18n.translator import WRITTEN
from tests.pages.course.test_lessons import make_learner

MOVES = ("step", "back", "restart", "pick", "seed")


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


def step_of(task: tuple[tuple[str, Any], ...]) -> Step:
    return Step(page="step", text="", do="", then="", task=task)


def move(learner: Learner, kind: str) -> None:
    session, model = learner.session, learner.model
    if kind == "seed":
        session.seed += 1
    elif kind == "pick":
        token = model.distribution(learner.trace.token_ids()).top(5)[4]
        session.pick(model, session.turn, token.token_id)
    else:
        getattr(session, kind)(model)


class Walk:
    """A learner at a task; `after` makes a move and returns the aim and the parts of the task then."""

    def __init__(self, model: Model, *task: tuple[str, Any]) -> None:
        self.learner, self.step, self.memory = make_learner(model), step_of(task), dict[str, Any]()
        self.now()

    def now(self) -> tuple[str | None, tuple[int, int]]:
        met = tasks.met(self.step.task, self.learner, self.memory)
        parts = tasks.parts(self.step.task, met, self.learner, self.memory)
        return aims.next_aim(self.step, met, self.learner, self.memory), parts

    def after(self, kind: str) -> tuple[str | None, tuple[int, int]]:
        move(self.learner, kind)
        return self.now()


def test_every_task_has_an_aim_and_every_place_a_selector() -> None:
    assert set(aims.AIMS) == set(tasks.TASKS)
    assert set(aims.RESULT_OF) < set(tasks.TASKS)
    named = {aim for aim in aims.AIMS.values() if isinstance(aim, str)} | set(aims.RESULT_OF.values())
    named |= set(places.BESIDE) | set(places.BESIDE.values()) | set(places.LOWER_END)
    assert all(places.selector(name) for name in named)


@pytest.mark.parametrize("language", WRITTEN)
def test_every_step_begins_with_something_to_do_and_ends_with_something_to_see(bundled: Model, language: str) -> None:
    for lesson in catalog.lessons(language):
        for step in lesson.steps:
            learner, memory = make_learner(bundled), dict[str, Any]()
            tasks.met(step.task, learner, memory)
            aim, result = aims.next_aim(step, (False,) * len(step.task), learner, memory), aims.result(step)
            assert aim is not None and result is not None
            assert places.selector(aim) and places.selector(result)
            assert aims.next_aim(step, (True,) * len(step.task), learner, memory) is None


def test_three_seeds_are_three_parts_and_each_needs_its_buttons(bundled: Model) -> None:
    walk = Walk(bundled, ("seeds", 3))
    assert walk.now() == ("press_run", (0, 3))
    assert walk.after("step") == ("press_restart", (1, 3))
    assert walk.after("restart") == ("press_new_seed", (1, 3))
    assert walk.after("seed") == ("press_run", (1, 3))
    assert walk.after("step") == ("press_restart", (2, 3))
    walk.after("restart")
    walk.after("seed")
    assert walk.after("step") == (None, (3, 3))


def test_a_branch_is_writing_going_back_and_another_choice(bundled: Model) -> None:
    walk = Walk(bundled, ("branches", 2))
    assert walk.now() == ("press_next", (0, 3))
    assert walk.after("step") == ("press_back", (1, 3))
    assert walk.after("back") == ("bars", (2, 3))
    assert walk.after("pick") == (None, (3, 3))


def test_the_same_text_twice_is_two_parts(bundled: Model) -> None:
    walk = Walk(bundled, ("strategy", "greedy"), ("again", 1))
    assert walk.now() == ("strategy", (0, 3)), "the strategy is a part where it is to be changed"
    walk.learner.session.strategy = "greedy"
    assert walk.now() == ("press_run", (1, 3))
    assert walk.after("step") == ("press_restart", (2, 3))
    assert walk.after("restart") == ("press_run", (2, 3))
    assert walk.after("step") == (None, (3, 3))


def test_what_held_at_the_beginning_is_no_part(bundled: Model) -> None:
    walk = Walk(bundled, ("at_least", {"top_k": 1}), ("at_most", {"top_k": 8}), ("loops", False))
    assert walk.now() == ("top_k", (0, 1))


def test_a_long_count_is_one_part(bundled: Model) -> None:
    walk = Walk(bundled, ("written", tasks.MAX_PARTS + 1))
    assert walk.after("step")[1] == (0, 1)


def test_the_button_that_a_lesson_names_replaces_that_of_the_task(bundled: Model) -> None:
    learner = make_learner(bundled)
    step = Step("step", "", "", "", (("at_least", {"temperature": 1.6}), ("written", 8)), press="press_run")
    assert aims.next_aim(step, (False, False), learner, {}) == "temperature"
    assert aims.next_aim(step, (True, False), learner, {}) == "press_run"
    assert aims.next_aim(step, (False, True), learner, {}) == "temperature"


@given(
    task=st.sampled_from([("written", 3), ("seeds", 2), ("branches", 2), ("again", 2), ("length", 2), ("hand", 0.5)]),
    moves=st.lists(st.sampled_from(MOVES), max_size=8),
)
def test_the_parts_are_all_done_where_the_task_is(bundled: Model, task: tuple[str, Any], moves: list[str]) -> None:
    walk = Walk(bundled, task)
    for kind in moves:
        aim, (done, of) = walk.after(kind)
        assert 0 <= done <= of and of >= 1
        assert (aim is None) == (done == of)


def test_a_new_step_has_no_parts_of_the_one_before(bundled: Model) -> None:
    lesson = next(lesson for lesson in catalog.lessons("en") if lesson.name == "loop")
    course, learner = CourseState(), make_learner(bundled)
    course.begin(lesson, 0)
    course.check(lesson, learner)
    learner.session.step(bundled)
    course.check(lesson, learner)
    assert course.parts == (1, 3)
    course.begin(lesson, 0)
    course.check(lesson, learner)
    assert course.parts == (0, 3)
