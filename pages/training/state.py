"""State of the training page: the text under teacher forcing, the opened position, and the training checkpoint.

No Streamlit here. A text that cannot be tokenized or is too long leaves the current one unchanged and sets `problem`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.trace.link_codec import encode_text
from pages.session.incremental_run import work_for
from pages.session.query_params import QueryParams

if TYPE_CHECKING:
    from engine.model.chunked_prefill import TextScoring
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
    stopped     whether the visitor, or an error, ended the scoring of the text early
    """

    text: str = ""
    ids: tuple[int, ...] = ()
    model: str = ""
    opened: int | None = None
    turn: int = 0
    problem: EngineError | None = None
    checkpoint: int | None = None
    stopped: bool = False
    _scoring: tuple[tuple[str, tuple[int, ...]], TextScoring] | None = field(default=None, repr=False)  # with its key

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
        if self.stopped:
            self._scoring, self.stopped = None, False
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

    def scoring(self, model: Model) -> TextScoring:
        """Scoring of the text under teacher forcing, one forward pass a step; kept for the last text."""
        from engine.model.chunked_prefill import TextScoring

        arguments = model.name, self.ids
        if self._scoring is None or self._scoring[0] != arguments:
            self._scoring, self.stopped = (arguments, TextScoring(model, self.ids)), False
        return self._scoring[1]

    def work(self, model: Model, seconds: float) -> bool:
        """Score the text for `seconds`. True while more remains. After an EngineError the next call begins anew."""
        scoring = self.scoring(model)
        try:
            work_for(seconds, scoring.step)
        except EngineError:
            self._scoring = None
            raise
        return not scoring.done

    def stop(self) -> None:
        """End the scoring; the score of the tokens scored so far remains."""
        if self._scoring is not None and not self._scoring[1].done:
            self._scoring[1].stop()
            self.stopped = True

    def score(self, model: Model) -> Score:
        """Score of the text; if the scoring was stopped, of the tokens scored until then."""
        scoring = self.scoring(model)
        while scoring.step():
            pass
        return scoring.score

    def position(self, model: Model) -> int | None:
        """Position whose prediction is displayed; None for a text of one token, where nothing is predicted."""
        from engine.model.score import least_expected

        if self.opened is not None and self.opened < len(self.score(model).token_ids):
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
