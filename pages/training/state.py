"""State of the training page: the text under teacher forcing, the opened position, and the training checkpoint.

No Streamlit here. A text that cannot be tokenized or is too long leaves the current one unchanged and sets `problem`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.trace.link_codec import encode_text
from pages.session.query_params import QueryParams

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score
    from pages.session.text_state import TextState

MAX_QUERY_CHARACTERS = 1_500  # of a text in the URL
_MAX_CHECKPOINT = 1_000  # in a URL


@dataclass
class TrainingState:
    """Text of one visitor on the training page, with what is selected on it.

    ids         tokens of the text
    model       name of the model to which `ids` belong
    opened      position whose prediction is displayed; None for the token with the highest loss
    turn        incremented with every change; a click on an older version is ignored
    problem     why the last text was not accepted
    checkpoint  index in the training history; None for the last
    """

    text: str = ""
    ids: tuple[int, ...] = ()
    model: str = ""
    opened: int | None = None
    turn: int = 0
    problem: EngineError | None = None
    checkpoint: int | None = None
    _score: tuple[tuple[str, tuple[int, ...]], Score] | None = field(default=None, repr=False)  # cached, with its key

    def update_text(self, model: Model, default: str) -> None:
        """Tokenize the text for this model, or `default` where there is none or the model does not accept it."""
        if self.model == model.name and self.ids:
            return
        self.load_text(model, self.text or default)
        if self.model != model.name:
            problem = self.problem
            self.load_text(model, default)
            self.problem = problem

    def load_text(self, model: Model, text: str) -> None:
        """Replace the text; one that the model does not accept only sets `problem`."""
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
        """The text, the opened position and the checkpoint, counted from 1: see `url_state.UrlState`."""
        params = {"open": "" if self.opened is None else str(self.opened + 1)}
        params["moment"] = "" if self.checkpoint is None else str(self.checkpoint + 1)
        if self.ids and len(self.text) <= MAX_QUERY_CHARACTERS:
            params["read"] = encode_text(self.text, "")
        return {name: value for name, value in params.items() if value}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the state; values out of range are ignored."""
        if (text := params.decoded("read")) is not None:
            self.load_text(model, text)
        opened = params.whole("open", 2, len(self.ids), 0) if len(self.ids) > 1 else 0
        self.opened = opened - 1 if opened else None
        checkpoint = params.whole("moment", 1, _MAX_CHECKPOINT, 0)
        self.checkpoint = checkpoint - 1 if checkpoint else None
        self.turn += 1

    def score(self, model: Model) -> Score:
        """Teacher-forcing score of the text, one forward pass; cached."""
        arguments = model.name, self.ids
        if self._score is None or self._score[0] != arguments:
            self._score = arguments, model.score(self.ids)
        return self._score[1]

    def position(self, model: Model) -> int | None:
        """Position whose prediction is displayed; None for a text of one token, where nothing is predicted."""
        from engine.model.score import least_expected

        if self.opened is not None:
            return self.opened
        return next(iter(least_expected(self.score(model), 1)), None)

    def open_position(self, turn: int, position: int) -> None:
        """Display the prediction for a position, which is at least 1: the first token is not predicted."""
        if turn == self.turn and 0 < position < len(self.ids):
            self.opened = position
            self.turn += 1

    def continue_with(self, session: TextState, model: Model, turn: int, token_id: int) -> bool:
        """Load the text before the displayed position into the session, with another token after it.

        Returns False, without a change, for an outdated click or where there is no text before the position.
        """
        at = self.position(model)
        if turn != self.turn or at is None or not 0 <= token_id < model.vocabulary.size:
            return False
        if before := model.text(self.ids[:at]):
            session.load_text(model, before, self.ids[:at], (token_id,), "hand")
        return bool(before)

    def select_checkpoint(self, checkpoint: int, count: int) -> None:
        """Select one of the `count` checkpoints of the training history, from 0."""
        if 0 <= checkpoint < count:
            self.checkpoint = checkpoint
