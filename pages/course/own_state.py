"""State of a visitor's own lesson: the draft that is being written, and the lesson that is open. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from engine.errors import EngineError
from engine.sampling.settings import Settings
from pages.course import own_lesson, own_tasks
from pages.course.learner import Learner
from pages.course.lesson import Lesson
from pages.course.own_lesson import MAX_PROMPT, MAX_STEPS, OWN, OwnLesson, OwnLessonError, OwnStep
from pages.i18n.translator import Translator
from pages.session.query_params import OWN_LESSON, QueryParams
from pages.shell.text_params import text_and_continuation

_WITH_TEXT = ("step", "beam", "transformer", "attention")  # pages that show the session's text


def instruction(step: OwnStep, t: Translator) -> str:
    """What a step's task asks, in the words of the app."""
    found = own_tasks.find(step.page, *step.task)
    assert found is not None
    offered, number = found
    return t(f"own_lesson.task.{offered.key}", n=f"{number:g}")


@dataclass
class OwnLessonState:
    """The draft of one visitor, and the own lesson that is open, which may be a stranger's.

    keys      one number for each step of the draft, which stays with it when it is moved: for keys of widgets
    opened    the lesson that is open, or was; None before one is
    problem   why a file could not be read
    turn      incremented by every file that is read
    finished  whether the end of an own lesson was reached just now
    long      texts that were typed and are too long for a lesson, by the key of their box
    """

    draft: OwnLesson = field(default_factory=OwnLesson)
    keys: list[int] = field(default_factory=list)
    opened: OwnLesson | None = None
    problem: EngineError | None = None
    turn: int = 0
    finished: bool = False
    long: dict[str, str] = field(default_factory=dict)
    _made: int = 0

    @property
    def has_begun(self) -> bool:
        """Whether there is a draft in this session, or was one."""
        return self._made > 0 or self.draft != OwnLesson()

    def load(self, lesson: OwnLesson) -> None:
        """Begin a draft with a lesson that exists."""
        self.draft, self.keys = lesson, []
        for _ in lesson.steps:
            self._add_key()

    def _add_key(self) -> None:
        self._made += 1
        self.keys.append(self._made)

    def read(self, data: bytes) -> None:
        """Load the draft from a file; a file that cannot be read only sets `problem`."""
        self.turn += 1
        self.problem = None
        try:
            self.load(own_lesson.from_json(data))
        except OwnLessonError as error:
            self.problem = error

    def add(self, step: OwnStep) -> None:
        """Append a step to the draft, unless it has as many as it may."""
        if len(self.draft.steps) < MAX_STEPS:
            self.draft = replace(self.draft, steps=(*self.draft.steps, step))
            self._add_key()

    def change(self, key: int, **values: Any) -> None:
        """Change fields of a step of the draft."""
        steps = list(self.draft.steps)
        if key in self.keys:
            steps[self.keys.index(key)] = replace(steps[self.keys.index(key)], **values)
            self.draft = replace(self.draft, steps=tuple(steps))

    def move(self, key: int, by: int) -> None:
        """Move a step of the draft up (−1) or down (1)."""
        at = self.keys.index(key) if key in self.keys else 0
        to = at + by
        if key in self.keys and 0 <= to < len(self.keys):
            steps = list(self.draft.steps)
            steps[at], steps[to] = steps[to], steps[at]
            self.keys[at], self.keys[to] = self.keys[to], self.keys[at]
            self.draft = replace(self.draft, steps=tuple(steps))

    def remove(self, key: int) -> None:
        """Remove a step of the draft."""
        if key in self.keys:
            at = self.keys.index(key)
            self.draft = replace(self.draft, steps=self.draft.steps[:at] + self.draft.steps[at + 1 :])
            del self.keys[at]

    def lesson(self, t: Translator) -> Lesson | None:
        """The open lesson for the sheet; None where none was opened, or it has no step."""
        if self.opened is None or not self.opened.steps:
            return None
        asked = tuple(instruction(step, t) for step in self.opened.steps)
        return self.opened.as_lesson(asked, t("own_lesson.untitled"))

    def open_link(self, params: QueryParams) -> bool:
        """Take over the lesson of a link, if there is one that can be read. True if it is another than before."""
        before = self.opened
        if OWN_LESSON in params:
            try:
                self.opened = own_lesson.decode(params.text(OWN_LESSON))
            except OwnLessonError:
                self.opened = None
        return self.opened != before

    def to_query(self, open_lesson: str | None) -> dict[str, str]:
        """URL parameter of the open lesson, if it is an own one and fits."""
        code = own_lesson.encode(self.opened) if open_lesson == OWN and self.opened else ""
        return {OWN_LESSON: code} if code else {}


def captured(page: str, learner: Learner) -> OwnStep:
    """A step from the present state of a page: its text, the settings that differ from the usual, its first task."""
    session, usual = learner.session, Settings()
    settings: dict[str, Any] = {
        each.name: getattr(session.settings, each.name)
        for each in fields(Settings)
        if getattr(session.settings, each.name) != getattr(usual, each.name)
    }
    settings |= {"temperature": session.settings.temperature, "strategy": session.strategy, "seed": session.seed}
    text = {"tokens": learner.tokens.text, "training": learner.training.text}.get(page)
    if text is None and page == "compare":
        text = str(learner.widget("compare_prompt") or "")
    elif text is None and page in _WITH_TEXT:
        text = "".join(text_and_continuation(learner.model, learner.trace, session.prompt))
    offered = own_tasks.OFFERED[page][0]
    prompt = own_lesson.clean(text or "")[:MAX_PROMPT]
    return OwnStep(page, offered.condition(offered.usual), prompt, tuple(settings.items()))
