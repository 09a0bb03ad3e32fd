"""State of the tokens page: the tokenized text, the opened token, the replayed merges, and the actions on them.

No Streamlit here. The text follows that of the step page until one is typed or loaded on this page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import PromptError
from engine.trace.link_codec import encode_text
from pages.session.query_params import QueryParams

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.bpe import BPEDerivation
    from engine.tokenization.tokenized_text import TokenizedText
    from pages.session.text_state import TextState

MAX_CHARACTERS = 5_000  # of a text, which is tokenized again at every key
MAX_QUERY_CHARACTERS = 1_500  # of a text in the URL
MAX_MERGE_CHARACTERS = 240  # at the beginning of the text, whose merges are replayed


@dataclass
class TokensState:
    """Text of one visitor on the tokens page, with what is selected in it.

    own          whether the text was typed or loaded on this page
    turn         incremented for every new text; a click on an older one is ignored
    box_version  incremented when the text box is to be filled with `text`, which typing in it does not require
    opened       index of the token whose details stay open
    merge_count  number of merges replayed so far
    """

    text: str = ""
    own: bool = False
    turn: int = 0
    box_version: int = 0
    opened: int | None = None
    merge_count: int = 0
    _tokenized: tuple[tuple[str, str], TokenizedText] | None = None  # cached, with model name and text
    _derivation: tuple[tuple[str, str], BPEDerivation] | None = None  # cached, with model name and text

    def step_text(self, session: TextState, model: Model) -> str:
        """Text of the step page, up to its cursor."""
        return model.text(session.ready(model).token_ids())

    def update_text(self, session: TextState, model: Model) -> None:
        """Take over the text of the step page, unless this page has its own."""
        if not self.own and self.text != (text := self.step_text(session, model)):
            self._fill_box(text)

    def on_typed(self, box_version: int, text: str) -> None:
        """Take over the text typed into the box."""
        if box_version == self.box_version and text != self.text:
            self.own = True
            self._set_text(text)

    def load_text(self, text: str) -> None:
        """Replace the text, such as by an example."""
        self.own = True
        self._fill_box(text)

    def follow_step_page(self) -> None:
        """Return to the text of the step page."""
        self.own = False

    def to_query(self) -> dict[str, str]:
        """The page's own text, the opened token and the merge count, counted from 1: see `url_state.UrlState`."""
        params = {"open": "" if self.opened is None else str(self.opened + 1), "merged": str(self.merge_count or "")}
        if self.own and len(self.text) <= MAX_QUERY_CHARACTERS:
            params["typed"] = encode_text(self.text, "")
        return {name: value for name, value in params.items() if value}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the state; values out of range are ignored."""
        self.own = False
        if (text := params.decoded("typed")) is not None:
            self.load_text(text)
        self.update_text(session, model)
        length = len(self.tokenized(model).token_ids)
        opened = params.whole("open", 1, length, 0) if length else 0
        self.opened = opened - 1 if opened else None
        self.merge_count = params.whole("merged", 1, 4 * MAX_MERGE_CHARACTERS, 0)  # a character is four bytes at most

    def _fill_box(self, text: str) -> None:
        self._set_text(text)
        self.box_version += 1

    def _set_text(self, text: str) -> None:
        self.text, self.opened, self.merge_count = text, None, 0
        self.turn += 1

    def toggle_token(self, turn: int, index: int) -> None:
        """Open the details of a token, or close them."""
        if turn == self.turn and self._tokenized is not None and 0 <= index < len(self._tokenized[1].token_ids):
            self.opened = None if index == self.opened else index

    def merge_to(self, turn: int, count: int) -> None:
        """Set the number of replayed merges."""
        if turn == self.turn and self._derivation is not None and 0 <= count <= len(self._derivation[1].merges):
            self.merge_count = count

    def tokenized(self, model: Model) -> TokenizedText:
        """The text in the model's tokens, cached. Raises PromptError: `cut_long` (too many characters), `surrogate`."""
        from engine.tokenization.tokenized_text import tokenize

        if len(self.text) > MAX_CHARACTERS:
            raise PromptError("cut_long", f"{len(self.text)} characters", count=len(self.text), most=MAX_CHARACTERS)
        arguments = model.name, self.text
        if self._tokenized is None or self._tokenized[0] != arguments:
            self._tokenized = arguments, tokenize(model.vocabulary, self.text)
        return self._tokenized[1]

    def derivation(self, model: Model) -> BPEDerivation:
        """BPE derivation of the beginning of the text, cached. Raises EngineError for a tokenizer without merges."""
        arguments = model.name, self.text[:MAX_MERGE_CHARACTERS]
        if self._derivation is None or self._derivation[0] != arguments:
            self._derivation = arguments, model.vocabulary.merges.derive(arguments[1])
            self.merge_count = min(self.merge_count, len(self._derivation[1].merges))
        return self._derivation[1]
