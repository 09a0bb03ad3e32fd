"""State of all pages, as the tasks and placeholders of the lessons read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pages.chat.state import ChatState
from pages.limits.state import LimitsState
from pages.quiz.state import QuizState
from pages.speculative.state import SpeculativeState
from pages.training.state import TrainingState
from pages.transformer.state import TransformerState
from pages.uses.state import UsesState

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.trace.trace import Trace
    from pages.attention.state import AttentionState
    from pages.beam.state import BeamState
    from pages.compare.state import CompareState
    from pages.session.text_state import TextState
    from pages.tokens.state import TokensState

TaskMemory = dict[str, Any]  # values that a task stores between evaluations, since its step began


@dataclass(frozen=True)
class Learner:
    """State of one visitor who takes the course.

    session  text, settings and run of the step page, which most pages use
    beam, compare, attention, tokens, training, limits, speculative, uses, quiz, chat, transformer  state of the page of
             that name
    widget   returns the value of a widget by its key, None where there is none
    """

    model: Model
    session: TextState
    beam: BeamState
    compare: CompareState
    attention: AttentionState
    tokens: TokensState
    widget: Callable[[str], Any]
    training: TrainingState = field(default_factory=TrainingState)
    limits: LimitsState = field(default_factory=LimitsState)
    speculative: SpeculativeState = field(default_factory=SpeculativeState)
    uses: UsesState = field(default_factory=UsesState)
    quiz: QuizState = field(default_factory=QuizState)
    chat: ChatState = field(default_factory=ChatState)
    transformer: TransformerState = field(default_factory=TransformerState)

    @property
    def trace(self) -> Trace:
        """Trace of the step page, started with the prompt where there is none for this model yet."""
        return self.session.ready(self.model)


Condition = Callable[[Learner, Any, TaskMemory], bool]  # (learner, value in the lesson's file, memory of the task)
# How much of a condition is done and how much it asks for, with the same arguments.
Count = Callable[[Learner, Any, TaskMemory], tuple[int, int]]
