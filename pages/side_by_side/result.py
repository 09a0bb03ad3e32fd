"""Everything that the page shows of one text under one model or two. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.experiments.model_comparison import Comparison
    from engine.experiments.text_surprise import TextSurprise
    from engine.model.model import Model

ROWS = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as one model reads it.

    unknown  parts of the text that its vocabulary cannot write
    choice   what it would write next by greedy search; None where it ends the text or writes no whole character
    problem  why it cannot read the text; the other fields are then empty
    """

    ids: tuple[int, ...] = ()
    unknown: tuple[str, ...] = ()
    choice: str | None = None
    problem: EngineError | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A text under the model at hand and a second model; without a second, the model at hand is compared with itself.

    readings    of the model at hand, and of the second model if there is one
    comparison  None where one of the models cannot read the text
    surprise    None where it cannot be computed
    """

    readings: tuple[Reading, ...]
    comparison: Comparison | None
    surprise: TextSurprise | None

    @property
    def problem(self) -> EngineError | None:
        """The first reason why the text cannot be read."""
        return next((reading.problem for reading in self.readings if reading.problem is not None), None)

    @property
    def alone(self) -> bool:
        """Whether there is only the model at hand."""
        return len(self.readings) == 1


def compute(model: Model, other: Model | None, text: str) -> Result:
    """The result for a text. What a model cannot read is in its reading; raises nothing."""
    from engine.experiments.model_comparison import compare
    from engine.experiments.text_surprise import surprise

    models = [model] if other is None else [model, other]
    readings = tuple(_read(each, text) for each in models)
    first, last = readings[0], readings[-1]
    if any(reading.problem for reading in readings):
        if last is not first and first.problem is None:  # the model at hand is shown in any case
            return Result(readings, compare(model, first.ids, model, first.ids, ROWS), None)
        return Result(readings, None, None)
    try:
        comparison = compare(model, first.ids, models[-1], last.ids, ROWS)
    except EngineError as error:
        return Result((Reading(problem=error), *readings[1:]), None, None)
    try:
        bits = surprise(model, models[-1], text)
    except EngineError:  # a text that a model holds impossible has no finite surprise
        bits = None
    return Result(readings, comparison, bits)


def _read(model: Model, text: str) -> Reading:
    from engine.experiments.model_comparison import next_text
    from engine.experiments.text_surprise import unknown_parts

    try:
        ids = model.read_prompt(text)
        return Reading(ids, tuple(dict.fromkeys(unknown_parts(model, text))), next_text(model, ids))
    except EngineError as error:
        return Reading(problem=error)
