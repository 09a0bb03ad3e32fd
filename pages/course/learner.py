"""What a learner has on the table, as the lessons' tasks and sentences read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pages.limits.state import LimitsState
from pages.quiz.state import QuizState
from pages.training.state import TrainingState
from pages.uses.state import UsesState

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.trace.trace import Trace
    from pages.attention.state import AttentionState
    from pages.beam.state import BeamState
    from pages.compare.state import CompareState
    from pages.session.text_state import TextState
    from pages.tokens.state import TokensState

Memory = dict[str, Any]  # what a task has seen since its step began


@dataclass(frozen=True)
class Learner:
    """What a learner has before them, on every page. `widget` gives the value of a control by its key."""

    model: Model
    session: TextState
    beaming: BeamState
    comparison: CompareState
    looking: AttentionState
    cutting: TokensState
    widget: Callable[[str], Any]
    forcing: TrainingState = field(default_factory=TrainingState)
    limits: LimitsState = field(default_factory=LimitsState)
    using: UsesState = field(default_factory=UsesState)
    quizzing: QuizState = field(default_factory=QuizState)

    @property
    def trace(self) -> Trace:
        return self.session.ready(self.model)


Condition = Callable[[Learner, Any, Memory], bool]  # of what its lesson's file gives it, and of its memory
