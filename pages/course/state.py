"""State of the course: the current lesson and stage, the stages done, and the actions on them. No Streamlit here.

Any lesson and any stage can be opened at any time. A stage that was done stays done. A question is done once it has
been answered right at the first attempt; if it was not, it is asked again in the recap of its part.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.classroom.progress import Place
from pages.course import tasks
from pages.course.former_steps import present_stage
from pages.course.guesses import clean
from pages.course.learner import Learner, TaskMemory
from pages.course.notes import Notes
from pages.course.own_lesson import OWN

if TYPE_CHECKING:
    from pages.course.lesson import Lesson, Step
    from pages.session.query_params import QueryParams

MAX_STEPS = 20  # of one lesson; higher step numbers in the progress saved by a browser are ignored


@dataclass
class CourseState:
    """Progress of one visitor in the course; `lesson` and `step` (from 0) are open on the lesson sheet."""

    lesson: str | None = None  # name of the current lesson; None: no lesson is open
    step: int = 0  # the stage: the number of steps where the question is asked
    turn: int = 0  # incremented when a step begins; an event of an earlier turn is ignored
    page_pending: bool = False  # a step has begun whose page is still to be opened
    done: dict[str, set[int]] = field(default_factory=dict)  # stages done, by lesson
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)  # chosen for the question, by lesson, in order
    recap: str = ""  # name of the part whose recap is to be opened, or is open
    reviewed: dict[str, int] = field(default_factory=dict)  # answers chosen last in a recap, by lesson
    met: tuple[bool, ...] = ()  # whether each condition of the current step held when it was last checked
    parts: tuple[int, int] = (0, 0)  # of the current step's task: those done then, and all
    memory: TaskMemory = field(default_factory=dict)  # of the current step's task
    notes: dict[tuple[str, int], Notes] = field(default_factory=dict)  # by lesson and step

    def begin(self, lesson: Lesson, step: int = 0) -> tuple[Step, ...]:
        """Open a stage of a lesson; one out of range becomes the nearest one.

        Returns the steps to set up, in order: those before it that the visitor has not been through, and the step.
        """
        been = self.step + 1 if self.lesson == lesson.name else 0
        self.lesson = lesson.name
        self.step = min(max(0, step), lesson.stages - 1)
        self.memory, self.page_pending, self.met, self.parts = {}, True, (), (0, 0)
        self.turn += 1
        return lesson.steps[min(been, self.step) : self.step + 1]

    @property
    def holds(self) -> bool:
        """Whether the current step's task held when it was last checked."""
        return bool(self.met) and all(self.met)

    def asks(self, lesson: Lesson) -> bool:
        """Whether the lesson's question is open."""
        return self.step >= len(lesson.steps)

    def finish(self, part: str) -> None:
        """Close the last lesson of a part and go to the recap of the part."""
        self.leave()
        self.recap, self.page_pending = part, True

    def leave(self) -> None:
        """Close the lesson and stay on the page."""
        self.lesson = None
        self.turn += 1

    def forget(self, lesson: str) -> None:
        """Close a lesson, and forget what was done in it: the name has another lesson now."""
        if self.lesson == lesson:
            self.leave()
        self.done.pop(lesson, None)
        self.notes = {place: notes for place, notes in self.notes.items() if place[0] != lesson}

    def check(self, lesson: Lesson, learner: Learner) -> bool:
        """Whether the current step is done; called after every action, records a step that has just been done.

        What was done can be undone, so the task of a step that is done need not hold now: see `holds`.
        """
        done = self.done.setdefault(lesson.name, set())
        if self.asks(lesson):
            return self.step in done
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

    def answer(self, lesson: Lesson, index: int) -> None:
        """Choose an answer to the lesson's question, on its sheet. Only the first attempt counts."""
        if 0 <= index < len(lesson.question.answers):
            before = self.answers.get(lesson.name, ())
            self.answers[lesson.name] = (*before, index)
            if not before and lesson.question.answers[index].right:
                self.done.setdefault(lesson.name, set()).add(len(lesson.steps))

    def review(self, lesson: Lesson, index: int) -> None:
        """Choose an answer to the lesson's question, in the recap."""
        if 0 <= index < len(lesson.question.answers):
            self.reviewed[lesson.name] = index
            if lesson.question.answers[index].right:
                self.done.setdefault(lesson.name, set()).add(len(lesson.steps))

    def is_answered(self, lesson: Lesson) -> bool:
        """Whether the lesson's question is done."""
        return len(lesson.steps) in self.done.get(lesson.name, ())

    def count(self, lesson: Lesson) -> int:
        """Number of stages of a lesson that are done."""
        return sum(step < lesson.stages for step in self.done.get(lesson.name, ()))

    def to_query(self) -> dict[str, str]:
        """URL parameter of the current stage, counted from 1, such as `lesson=beam.2`; {} where no lesson is open."""
        return {"lesson": f"{self.lesson}.{self.step + 1}"} if self.lesson else {}

    def from_query(self, params: QueryParams, lessons: Sequence[Lesson]) -> tuple[Step, ...]:
        """Open the stage of the URL parameter `lesson`. Returns all steps up to it, to be set up in order.

        Returns () and closes the lesson where the parameter names none.
        """
        name, _, number = params.text("lesson").lower().partition(".")
        is_number = number.isdecimal() and 1 <= len(number) <= 3 and int(number) >= 1
        name, stage = present_stage(name, int(number) - 1 if is_number else 0)
        lesson = next((entry for entry in lessons if entry.name == name), None)
        if lesson is None or (number and not is_number):
            self.leave()
            return ()
        index = min(stage, lesson.stages - 1)  # a lesson may have had more steps
        if (lesson.name, index) != (self.lesson, self.step):
            self.begin(lesson, index)
            self.page_pending = False  # the URL names the page too
        return lesson.steps[: index + 1]

    def place(self, lesson: Lesson) -> Place:
        """Where the visitor is in a lesson."""
        done = tuple(sorted(self.done.get(lesson.name, ())))
        return Place(lesson.name, self.step, done, self.answers.get(lesson.name, ()))

    def progress(self) -> dict[str, list[int]]:
        """The stages done, as the browser saves them: {lesson: [stages]}; not of lessons that a visitor wrote."""
        return {name: sorted(steps) for name, steps in sorted(self.done.items()) if steps and name != OWN}

    def restore_progress(self, saved: Any, names: Collection[str]) -> None:
        """Add the stages that a browser saved, for the lessons `names`, under names of now or of former times.

        Invalid entries are ignored.
        """
        if not isinstance(saved, Mapping):
            return
        for name, steps in saved.items():
            for step in steps[:MAX_STEPS] if isinstance(steps, list) else ():
                if isinstance(name, str) and type(step) is int and 0 <= step < MAX_STEPS:
                    lesson, stage = present_stage(name, step)
                    if lesson in names:
                        self.done.setdefault(lesson, set()).add(stage)
