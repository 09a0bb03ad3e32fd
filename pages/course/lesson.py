"""Types of a lesson: its steps, each with a page, a text, a task and the state that it sets up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pages.shell import navigation

FOLDER = Path(__file__).parent / "lessons"
PAGES = (
    "step", "beam", "compare", "transformer", "attention", "tokens", "training", "limits", "speculative", "uses",
    "chat", "quiz",
)  # fmt: skip
PLACEHOLDER = re.compile(r"\{(\w+)\}")  # in a lesson's texts, such as {best_p}


KINDS = ("percent", "count", "number", "token", "choice")  # of guesses


class LessonError(ValueError):
    """Invalid lesson file; the message names the file and the error."""


@dataclass(frozen=True, slots=True)
class Guess:
    """Question that may be answered before a step's task is done; the true value is then shown beside the answer.

    kind     one of `KINDS`: a probability in per cent, a whole number, any number, a token or word, one of `options`
    value    placeholder of the true value; for a choice, one of `outcomes.OUTCOMES`
    options  for a choice, (outcome, text) of each
    """

    ask: str
    kind: str
    value: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """Table of what was tried in a step, one row for each combination of settings.

    settings  (title, placeholder) of the columns that identify a row
    results   (title, placeholder) of the other columns
    """

    settings: tuple[tuple[str, str], ...]
    results: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a lesson; the fields are the keys of `[[step]]` in its file, described in GUIDE.md.

    page      URL name of the page on which the step takes place, one of `PAGES`
    text      explanation, paragraphs separated by blank lines
    do        instruction
    then      explanation shown after completion
    task      (name, value) of the conditions of completion, all of which must hold
    prompt    prompt set when the step begins; None leaves the text unchanged
    settings  (name, value) of the settings set when the step begins
    point     name of the element to highlight, one of `places.HIGHLIGHTS`
    press     name of the button to press, one of `places.BUTTONS`; None: that of the task, see `aims.py`
    result    name of the element that shows the result, one of `places.RESULTS`; None: that of the task
    guess     question to be answered before the task is done
    ledger    table of the settings that were tried
    """

    page: str
    text: str
    do: str
    then: str
    task: tuple[tuple[str, Any], ...]
    prompt: str | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    point: str | None = None
    press: str | None = None
    result: str | None = None
    guess: Guess | None = None
    ledger: Ledger | None = None

    @property
    def script(self) -> str:
        """Script of the step's page, for `st.switch_page`."""
        return navigation.path(self.page)


@dataclass(frozen=True, slots=True)
class Answer:
    """Possible answer to a question; `says` is shown once it is chosen."""

    text: str
    says: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Question about what a lesson teaches; one of its answers is right."""

    ask: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson in one language. Its stages are its steps, counted from 0, and after them its question.

    name      name of its file without `.toml`, used in links and in the saved progress
    lead      summary in one sentence
    concepts  numbers of the concepts it teaches, rows of the table in the README
    minutes   estimated duration
    """

    name: str
    title: str
    lead: str
    concepts: tuple[int, ...]
    minutes: int
    steps: tuple[Step, ...]
    question: Question

    @property
    def stages(self) -> int:
        """Number of its steps and its question; a lesson that a visitor wrote has none."""
        return len(self.steps) + bool(self.question.answers)

    def step_of(self, stage: int) -> Step:
        """The step of a stage; of the question the last step, on whose page it is asked."""
        return self.steps[min(stage, len(self.steps) - 1)]


@dataclass(frozen=True, slots=True)
class Part:
    """Part of the course, with the names of its lessons in order; title and lead are in the words."""

    name: str
    lessons: tuple[str, ...]
