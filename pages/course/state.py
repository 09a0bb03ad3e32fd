"""State of the course: the current lesson and step, the steps done, and the actions on them. No Streamlit here.

Any lesson and any step can be opened at any time. A step that was done stays done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pages.course import tasks
from pages.course.guesses import clean
from pages.course.learner import Learner, TaskMemory
from pages.course.notes import Notes

if TYPE_CHECKING:
    from pages.course.lesson import Lesson, Step
    from pages.session.query_params import QueryParams

MAX_STEPS = 20  # of one lesson; higher step numbers in the progress saved by a browser are ignored


@dataclass
class CourseState:
    """Progress of one visitor in the course; `lesson` and `step` (from 0) are open on the lesson sheet."""

    lesson: str | None = None  # name of the current lesson; None: no lesson is open
    step: int = 0
    turn: int = 0  # incremented when a step begins; an event of an earlier turn is ignored
    page_pending: bool = False  # a step has begun whose page is still to be opened
    done: dict[str, set[int]] = field(default_factory=dict)  # steps done, by lesson
    met: tuple[bool, ...] = ()  # whether each condition of the current step held when it was last checked
    parts: tuple[int, int] = (0, 0)  # of the current step's task: those done then, and all
    memory: TaskMemory = field(default_factory=dict)  # of the current step's task
    notes: dict[tuple[str, int], Notes] = field(default_factory=dict)  # by lesson and step

    def begin(self, lesson: Lesson, step: int = 0) -> tuple[Step, ...]:
        """Open a step of a lesson; a step out of range becomes the nearest one.

        Returns the steps to set up, in order: those before it that the visitor has not been through, and the step.
        """
        been = self.step + 1 if self.lesson == lesson.name else 0
        self.lesson = lesson.name
        self.step = min(max(0, step), len(lesson.steps) - 1)
        self.memory, self.page_pending, self.met, self.parts = {}, True, (), (0, 0)
        self.turn += 1
        return lesson.steps[min(been, self.step) : self.step + 1]

    @property
    def holds(self) -> bool:
        """Whether the current step's task held when it was last checked."""
        return bool(self.met) and all(self.met)

    def finish(self) -> None:
        """Close the last lesson and go to the list of lessons."""
        self.leave()
        self.page_pending = True

    def leave(self) -> None:
        """Close the lesson and stay on the page."""
        self.lesson = None
        self.turn += 1

    def check(self, lesson: Lesson, learner: Learner) -> bool:
        """Whether the current step is done; called after every action, records a step that has just been done.

        What was done can be undone, so the task of a step that is done need not hold now: see `holds`.
        """
        done = self.done.setdefault(lesson.name, set())
        task = lesson.steps[self.step].task
        self.met = tasks.met(task, learner, self.memory)
        self.parts = tasks.parts(task, self.met, learner, self.memory)
        if self.holds:
            done.add(self.step)
        self.notes_of(lesson).update(lesson.steps[self.step], learner, self.holds)
        return self.step in done

    def notes_of(self, lesson: Lesson) -> Notes:
        """Notes of the current step."""
        return self.notes.setdefault((lesson.name, self.step), Notes())

    def guess(self, lesson: Lesson, text: str) -> None:
        """Note a guess; ignored once the step is done, since its result is in sight."""
        if self.step not in self.done.get(lesson.name, ()):
            self.notes_of(lesson).guess = clean(text)

    def count(self, lesson: Lesson) -> int:
        """Number of steps of a lesson that are done."""
        return sum(step < len(lesson.steps) for step in self.done.get(lesson.name, ()))

    def to_query(self) -> dict[str, str]:
        """URL parameter of the current step, counted from 1, such as `lesson=05-beam.2`; {} where no lesson is open."""
        return {"lesson": f"{self.lesson}.{self.step + 1}"} if self.lesson else {}

    def from_query(self, params: QueryParams, lessons: Sequence[Lesson]) -> tuple[Step, ...]:
        """Open the step of the URL parameter `lesson`. Returns it after all steps before it, to be set up in order.

        Returns () and closes the lesson where the parameter names none.
        """
        name, _, number = params.text("lesson").lower().partition(".")
        lesson = next((entry for entry in lessons if entry.name == name), None)
        if number and not (number.isdecimal() and 1 <= len(number) <= 3 and int(number) >= 1):
            lesson = None
        if lesson is None:
            self.leave()
            return ()
        index = min(int(number or 1), len(lesson.steps)) - 1  # a lesson may have had more steps
        if (lesson.name, index) != (self.lesson, self.step):
            self.begin(lesson, index)
            self.page_pending = False  # the URL names the page too
        return lesson.steps[: index + 1]

    def progress(self) -> dict[str, list[int]]:
        """The steps done, as the browser saves them: {lesson: [steps]}."""
        return {name: sorted(steps) for name, steps in sorted(self.done.items()) if steps}

    def restore_progress(self, saved: Any, names: Sequence[str]) -> None:
        """Add the steps that a browser saved, for the lessons `names`. Invalid entries are ignored."""
        if not isinstance(saved, Mapping):
            return
        for name in names:
            steps = saved.get(name)
            if isinstance(steps, list):
                valid = {step for step in steps[:MAX_STEPS] if type(step) is int and 0 <= step < MAX_STEPS}
                self.done.setdefault(name, set()).update(valid)
