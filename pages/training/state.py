"""What one visitor gives the model to read under teacher forcing, and what they look at there. Knows no screen.

A text that cannot be read leaves the one on the table as it is, with the problem on record.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import EngineError, TraceError
from engine.trace.link_codec import decode_text, encode_text
from pages.session.query_params import QueryParams

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score
    from pages.session.text_state import TextState

MOST_LINKED = 1_500  # characters of a text that an address holds


@dataclass
class TrainingState:
    text: str = ""
    ids: tuple[int, ...] = ()
    model: str = ""  # whose tokens `ids` are
    opened: int | None = None  # the position whose prediction is looked at; None: the worst surprise
    turn: int = 0  # grows with every move; a click carries the turn it was made on
    problem: EngineError | None = None
    prompt: str | None = None  # of the record: whose learning is on show
    moment: int | None = None  # None: the last
    _score: tuple[tuple[str, tuple[int, ...]], Score] | None = field(default=None, repr=False)

    def ready(self, model: Model, first: str) -> None:
        """The text in this model's tokens; `first` is the one to begin with."""
        if self.model == model.name and self.ids:
            return
        self.read(model, self.text or first)
        if self.model != model.name:  # this model cannot read it: begin with one that it can
            problem = self.problem
            self.read(model, first)
            self.problem = problem

    def read(self, model: Model, text: str) -> None:
        """Put a text on the table."""
        try:
            ids = model.read_prompt(text)
        except EngineError as error:
            self.problem = error
            return
        if (model.name, ids) != (self.model, self.ids):
            self.opened = None
        self.text, self.ids, self.model, self.problem = text, ids, model.name, None
        self.turn += 1

    def to_query(self) -> dict[str, str]:
        """The text that was read, the position that is open, the moment of the training: see `params.View`."""
        params = {"open": "" if self.opened is None else str(self.opened + 1)}
        params["moment"] = "" if self.moment is None else str(self.moment + 1)
        if self.ids and len(self.text) <= MOST_LINKED:
            params["read"] = encode_text(self.text, "")
        return {name: value for name, value in params.items() if value}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        if "read" in params:
            with suppress(TraceError):
                self.read(model, decode_text(params.text("read"))[0])
        opened = params.whole("open", 2, len(self.ids), 0) if len(self.ids) > 1 else 0
        self.opened = opened - 1 if opened else None
        moment = params.whole("moment", 1, 1_000, 0)
        self.moment = moment - 1 if moment else None
        self.turn += 1

    def score(self, model: Model) -> Score:
        """Every token given those before it: one pass."""
        asked = model.name, self.ids
        if self._score is None or self._score[0] != asked:
            self._score = asked, model.score(self.ids)
        return self._score[1]

    def at(self, model: Model) -> int | None:
        """The position whose prediction is on show; None where nothing is predicted."""
        from engine.model.score import least_expected

        if self.opened is not None:
            return self.opened
        return next(iter(least_expected(self.score(model), 1)), None)

    def open(self, turn: int, position: int) -> None:
        """Look at another position. The first has no prediction."""
        if turn == self.turn and 0 < position < len(self.ids):
            self.opened = position
            self.turn += 1

    def follow(self, session: TextState, model: Model, turn: int, token_id: int) -> bool:
        """Put the text before the opened position on the step page's table, with another token after it. False for a
        click that is out of date, or where nothing stands before."""
        at = self.at(model)
        if turn != self.turn or at is None or not 0 <= token_id < model.vocabulary.size:
            return False
        if before := model.text(self.ids[:at]):
            session.load_text(model, before, self.ids[:at], (token_id,), "hand")
        return bool(before)

    def rest(self, moment: int, count: int) -> None:
        """Stand at a moment of the training."""
        if 0 <= moment < count:
            self.moment = moment
