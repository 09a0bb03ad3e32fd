"""A lesson as data: its steps, each with a page, a text, a task and what it sets up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pages.shell import navigation

FOLDER = Path(__file__).parent / "lessons"


PAGES = ("step", "beam", "compare", "attention", "tokens", "training", "limits", "uses", "quiz")


NAMED = re.compile(r"\{(\w+)\}")


class LessonError(ValueError):
    """A lesson's file holds what no lesson can have; the message names the file and says what."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a few sentences, one thing on a lab page, one thing to do. `task`: conditions that all must hold."""

    page: str
    text: str
    do: str
    then: str
    task: tuple[tuple[str, Any], ...]
    prompt: str | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    point: str | None = None

    @property
    def script(self) -> str:
        """Script of the step's page, for `st.switch_page`."""
        return navigation.path(self.page)


@dataclass(frozen=True, slots=True)
class Lesson:
    name: str
    title: str
    lead: str
    concepts: tuple[int, ...]
    minutes: int
    steps: tuple[Step, ...]
