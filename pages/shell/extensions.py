"""Extension points of the shell: the course's sheet, the links and the classroom's line on every page, the recording in
the share panel, and the class that follows a teacher's page.

`app.py` sets them. The course and the recording are built on the pages, so the shell cannot import them; the links need
the app's navigation, which a page that is run alone does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.classroom.progress import Place
    from engine.model.model import Model
    from pages.i18n.translator import Translator
    from pages.session.query_params import QueryParams
    from pages.session.text_state import TextState


@dataclass(frozen=True, slots=True)
class Outline:
    """Outline of a lesson: its title, the task of each step, its question and (text, right) of the answers."""

    title: str
    steps: tuple[str, ...]
    question: str
    answers: tuple[tuple[str, bool], ...]


class Companion(Protocol):
    """A guide drawn on every page, with URL parameters of its own: the course."""

    @property
    def active(self) -> bool:
        """Whether a lesson is open."""

    def prompts(self) -> frozenset[str]:
        """Prompts of its lessons, in every language."""

    def settings(self) -> frozenset[str]:
        """Widget keys of the settings that its current step is about."""

    def turn_to_page(self, t: Translator) -> None:
        """Switch to the page of the current step; called at the beginning of a fragment."""

    def draw(self, model: Model | None, t: Translator) -> None:
        """Draw below the page's workbench."""

    def offer(self, t: Translator) -> None:
        """Draw, in the share panel, what makes a step of a lesson from the present state of the page."""

    def place(self) -> Place | None:
        """Where the visitor is in the open lesson; None where none is open."""

    def outline(self, lesson: str, t: Translator) -> Outline | None:
        """Outline of a lesson by its name; None where there is none."""

    def to_query(self) -> dict[str, str]:
        """Its URL parameters; empty while no lesson is open."""

    def from_query(self, params: QueryParams, language: str) -> Callable[[], None] | None:
        """Restore it from URL parameters. Returns the function that sets up prompt and settings; None for no lesson."""


class NoCompanion:
    """Companion of a page that is run without the app."""

    active = False

    def prompts(self) -> frozenset[str]:
        return frozenset()

    def settings(self) -> frozenset[str]:
        return frozenset()

    def turn_to_page(self, t: Translator) -> None:
        pass

    def draw(self, model: Model | None, t: Translator) -> None:
        pass

    def offer(self, t: Translator) -> None:
        pass

    def place(self) -> Place | None:
        return None

    def outline(self, lesson: str, t: Translator) -> Outline | None:
        return None

    def to_query(self) -> dict[str, str]:
        return {}

    def from_query(self, params: QueryParams, language: str) -> Callable[[], None] | None:
        return None


Recording = Callable[["TextState", "Model", "Translator"], str]  # the text as a standalone HTML page

companion: Companion = NoCompanion()
links: Callable[[Translator], None] | None = None  # draws the links of the top bar
# Called after each change with the text and the page's query: a class may see them too.
follow: Callable[[TextState, dict[str, str]], None] | None = None
report: Callable[[Place | None], None] | None = None  # called with the place in the course: a class may count it
room_line: Callable[[Translator], None] | None = None  # draws the line of a visitor who is in a classroom
recording: Recording | None = None
