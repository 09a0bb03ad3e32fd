"""What a learner has on the table, as the lessons' tasks and sentences read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pages.ui.forcing import Forcing
from pages.ui.limits_session import Limits
from pages.ui.quizzing import Quizzing
from pages.ui.using import Using

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.trace.trace import Trace
    from pages.ui.beam_session import Beaming
    from pages.ui.comparison import Comparison
    from pages.ui.cutting import Cutting
    from pages.ui.looking import Looking
    from pages.ui.session import Session

Memory = dict[str, Any]  # what a task has seen since its step began


@dataclass(frozen=True)
class Table:
    """What a learner has before them, on every page. `widget` gives the value of a control by its key."""

    model: Model
    session: Session
    beaming: Beaming
    comparison: Comparison
    looking: Looking
    cutting: Cutting
    widget: Callable[[str], Any]
    forcing: Forcing = field(default_factory=Forcing)
    limits: Limits = field(default_factory=Limits)
    using: Using = field(default_factory=Using)
    quizzing: Quizzing = field(default_factory=Quizzing)

    @property
    def trace(self) -> Trace:
        return self.session.ready(self.model)


Condition = Callable[[Table, Any, Memory], bool]  # of what its lesson's file gives it, and of its memory
