"""What one visitor cuts into tokens, and every move they can make there. Knows no screen.

The text follows the step page's until one is typed or taken here; then it stays as it is.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import PromptError, TraceError
from engine.trace.link_codec import decode_text, encode_text
from pages.session.query_params import QueryParams

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.bpe import BPEDerivation
    from engine.tokenization.tokenized_text import TokenizedText
    from pages.session.text_state import TextState

MOST_CHARACTERS = 5_000  # of a text that is cut again at every key
MOST_LINKED = 1_500  # of a text that an address holds
MOST_MERGED = 240  # characters whose merges are replayed


@dataclass
class TokensState:
    text: str = ""
    own: bool = False  # typed or taken here
    turn: int = 0  # grows with every other text; a click carries the turn it was made on
    box: int = 0  # grows with every text that did not come out of the box itself
    opened: int | None = None  # the token whose card stays open
    merged: int = 0  # how many merges were made so far
    _cut: tuple[tuple[str, str], TokenizedText] | None = None
    _derivation: tuple[tuple[str, str], BPEDerivation] | None = None

    def at_hand(self, session: TextState, model: Model) -> str:
        """The step page's text, up to its cursor."""
        return model.text(session.ready(model).token_ids())

    def ready(self, session: TextState, model: Model) -> None:
        """Take over the step page's text, where nothing was typed here."""
        if not self.own and self.text != (text := self.at_hand(session, model)):
            self._put(text)

    def typed(self, box: int, text: str) -> None:
        """What stands in the box now."""
        if box == self.box and text != self.text:
            self.own = True
            self._change(text)

    def take(self, text: str) -> None:
        """A text to begin with."""
        self.own = True
        self._put(text)

    def follow(self) -> None:
        """Give up the text here for the step page's."""
        self.own = False

    def to_query(self) -> dict[str, str]:
        """A text of one's own, the open token and how far the merges went, counted from 1: see `params.View`."""
        params = {"open": "" if self.opened is None else str(self.opened + 1), "merged": str(self.merged or "")}
        if self.own and len(self.text) <= MOST_LINKED:
            params["typed"] = encode_text(self.text, "")
        return {name: value for name, value in params.items() if value}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        self.own = False
        if "typed" in params:
            with suppress(TraceError):
                self.take(decode_text(params.text("typed"))[0])
        self.ready(session, model)
        length = len(self.cut(model).token_ids)
        opened = params.whole("open", 1, length, 0) if length else 0
        self.opened = opened - 1 if opened else None
        self.merged = params.whole("merged", 1, MOST_MERGED, 0)

    def _put(self, text: str) -> None:
        self._change(text)
        self.box += 1

    def _change(self, text: str) -> None:
        self.text, self.opened, self.merged = text, None, 0
        self.turn += 1

    def open(self, turn: int, index: int) -> None:
        """Keep the card of a token open, or close it again."""
        if turn == self.turn and self._cut is not None and 0 <= index < len(self._cut[1].token_ids):
            self.opened = None if index == self.opened else index

    def merge_to(self, turn: int, count: int) -> None:
        """Stand after so many merges."""
        if turn == self.turn and self._derivation is not None and 0 <= count <= len(self._derivation[1].merges):
            self.merged = count

    def cut(self, model: Model) -> TokenizedText:
        """The text in the model's tokens. Raises PromptError: `characters` (too long), `surrogate`."""
        from engine.tokenization.tokenized_text import tokenize

        if len(self.text) > MOST_CHARACTERS:
            raise PromptError("cut_long", f"{len(self.text)} characters", count=len(self.text), most=MOST_CHARACTERS)
        asked = model.name, self.text
        if self._cut is None or self._cut[0] != asked:
            self._cut = asked, tokenize(model.vocabulary, self.text)
        return self._cut[1]

    def derivation(self, model: Model) -> BPEDerivation:
        """The merges of the text's beginning. Raises EngineError where the tokenizer makes none."""
        asked = model.name, self.text[:MOST_MERGED]
        if self._derivation is None or self._derivation[0] != asked:
            self._derivation = asked, model.vocabulary.merges.derive(asked[1])
            self.merged = min(self.merged, len(self._derivation[1].merges))
        return self._derivation[1]
