"""How far a learner is in the course, and every move they can make there. Knows no screen.

Nothing is locked: any lesson and any step can be opened at any time. What was done stays done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pages.course import tasks
from pages.course.learner import Learner, Memory

if TYPE_CHECKING:
    from pages.course.lesson import Lesson, Step
    from pages.session.query_params import QueryParams

MAX_STEPS = 20  # of one lesson; more in what a browser remembered is not believed


@dataclass
class CourseState:
    lesson: str | None = None  # the one that accompanies the learner through the pages
    step: int = 0
    turn: int = 0  # grows with every step that begins; what is reported carries the turn it belongs to
    turning: bool = False  # a step has begun whose page may be another one
    small: bool = False  # the sheet is folded away
    done: dict[str, set[int]] = field(default_factory=dict)  # steps done, by lesson
    memory: Memory = field(default_factory=dict)  # what the task of this step has seen

    def begin(self, lesson: Lesson, step: int = 0) -> Step:
        """Open a step of a lesson."""
        self.lesson, self.step, self.memory, self.small = (
            lesson.name,
            min(max(0, step), len(lesson.steps) - 1),
            {},
            False,
        )
        self.turning = True
        self.turn += 1
        return lesson.steps[self.step]

    def fold(self, small: bool) -> None:
        self.small = small is True

    def finish(self) -> None:
        """After the last step of the last lesson: back to the contents."""
        self.leave()
        self.turning = True

    def leave(self) -> None:
        """Go on without a lesson. What was done stays done."""
        self.lesson = None
        self.turn += 1

    def check(self, lesson: Lesson, learner: Learner) -> bool:
        """See whether the step at hand is done; asked after everything the learner does."""
        mine = self.done.setdefault(lesson.name, set())
        if tasks.done(lesson.steps[self.step].task, learner, self.memory):
            mine.add(self.step)
        return self.step in mine

    def count(self, lesson: Lesson) -> int:
        """How many steps of a lesson are done."""
        return sum(step < len(lesson.steps) for step in self.done.get(lesson.name, ()))

    def to_query(self) -> dict[str, str]:
        """The step at hand, as an address says it."""
        return {"lesson": f"{self.lesson}.{self.step + 1}"} if self.lesson else {}

    def from_query(self, params: QueryParams, every: Sequence[Lesson]) -> Step | None:
        """Open the step that an address says; none, where it says none."""
        name, _, number = params.text("lesson").partition(".")
        lesson = next((one for one in every if one.name == name), None)
        if lesson is None:
            self.leave()
            return None
        step = min(max(1, int(number)), len(lesson.steps)) - 1 if number.isdecimal() and len(number) < 4 else 0
        if (lesson.name, step) == (self.lesson, self.step):
            return lesson.steps[step]
        found = self.begin(lesson, step)
        self.turning = False  # the address names the page as well
        return found

    def kept(self) -> dict[str, list[int]]:
        """What a browser remembers."""
        return {name: sorted(steps) for name, steps in sorted(self.done.items()) if steps}

    def remember(self, kept: Any, names: Sequence[str]) -> None:
        """Add what the learner's browser remembered; of that only what can be: a browser can say anything."""
        if not isinstance(kept, Mapping):
            return
        for name in names:
            steps = kept.get(name)
            if isinstance(steps, list):
                found = {step for step in steps[:MAX_STEPS] if type(step) is int and 0 <= step < MAX_STEPS}
                self.done.setdefault(name, set()).update(found)
