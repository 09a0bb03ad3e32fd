"""One reply of a chat: tokens appended to a conversation until its turn ends. No Streamlit here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.decoding.stopping import StopReason
from engine.sampling.settings import Settings, Strategy, TokenOrigin
from engine.serving import config
from engine.tokenization.unicode import simplified_characters
from pages.session.prefilled_text import PrefilledText
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.chat_encoding import EncodedChat

ReplyStop = StopReason | Literal["line"]
TOKEN_RANGE, DEFAULT_TOKENS = (10, 100), 80


class Choosing(NamedTuple):
    """How the tokens of a reply are chosen."""

    strategy: Strategy
    settings: Settings
    seed: int


class Reply(PrefilledText):
    """A reply that is being written, or was.

    chat        the conversation that it answers, as tokens
    token_ids   the tokens written so far, with the one that ended the turn
    facts       log-probability and rank of each of them
    stop_reason why it has ended; None while it goes on, and for one of a link that does not say
    closing     in plain text, the characters that close what somebody says; the end of a line does as well
    """

    def __init__(self, model: Model, chat: EncodedChat, choosing: Choosing, closing: str | None = None) -> None:
        from engine.model.chunked_prefill import ChunkedPrefill  # imports torch: only once a model is loaded

        self.model, self.chat, self.choosing, self.closing = model, chat, choosing, closing
        self.token_ids: tuple[int, ...] = ()
        self.facts: list[tuple[float, int]] = []
        self.stop_reason: ReplyStop | None = None
        self._most = 0
        self._given: str | None = None
        self._prefill = ChunkedPrefill(model, chat.ids)

    def allow(self, tokens: int) -> Reply:
        """The reply with so many more tokens to write, as far as the host allows."""
        self._most = len(self.token_ids) + min(tokens, config.current().run_tokens)
        self.stop_reason = self._given = None
        return self

    def give(self, text: str, token_ids: tuple[int, ...], stop: ReplyStop | None = None) -> Reply:
        """The reply that was written elsewhere: its text, with its tokens if they are this text's, else its own.

        stop: why it ended there; ignored where that cannot be true of this reply.
        """
        self.token_ids = token_ids if token_ids and max(token_ids) < self.model.vocabulary.size else ()
        if not token_ids or self.text != text:
            self.token_ids = self.model.encode(text)[len(self.model.vocabulary.start) :]
        self.token_ids = self.token_ids[: self.model.context_length - len(self.chat.ids)]
        self._given = text
        possible = {"line": self.closing is not None, "context": len(self.ids) >= self.model.context_length}
        self.stop_reason = stop if stop is None or possible.get(stop, True) else None
        return self

    @property
    def ids(self) -> tuple[int, ...]:
        """Tokens of the conversation and of the reply."""
        return (*self.chat.ids, *self.token_ids)

    @property
    def text(self) -> str:
        """What the reply says: without the token that ended it; in plain text, without what closes it."""
        from engine.model.chat import reply_text

        if self._given is not None:
            return self._given
        text = reply_text(self.model, self.token_ids)
        return text if self.closing is None else _first_line(text).removesuffix(self.closing)

    @property
    def simplified(self) -> list[str]:
        """Simplified Chinese characters of the reply that the conversation does not contain, each once."""
        return [char for char in simplified_characters(self.text) if char not in self.chat.text]

    @property
    def end_name(self) -> str:
        """Name of the token that ended the turn; "" where none did."""
        if not self.token_ids or self.token_ids[-1] not in self.model.end_ids:
            return ""
        return self.model.pieces(self.token_ids)[-1]

    @property
    def done(self) -> bool:
        return self.stop_reason is not None

    @property
    def progress(self) -> float:
        """Fraction of the work done, from 0 to 1, as if the reply took all the tokens that it may."""
        if self.done or not self._most:
            return 1.0
        return (self._prefill.progress + len(self.token_ids)) / (1 + self._most)

    def stop(self) -> None:
        """End the reply at the visitor's request; what is written remains."""
        if not self.done:
            self.stop_reason = "person"

    def load_in_step(self, session: TextState, node: int, token: int) -> None:
        """Load the whole stream into the session, with the cursor at `node`, and `token` chosen there if given."""
        how: TokenOrigin = "greedy" if self.choosing.strategy == "greedy" else "drawn"
        model, ids = self.model, self.chat.ids
        if node < 0 or node >= len(ids):
            session.load_text(model, model.text(ids), ids, self.token_ids, how)
        else:  # within what was said: the prompt ends there
            session.load_text(model, model.text(ids[: node + 1]), ids[: node + 1], (), how)
        assert session.trace is not None
        if node >= len(ids):
            session.go_to(model, session.turn, session.trace.path()[node])
        if token >= 0:
            session.pick(model, session.turn, token)
        session.opened_from = "chat"

    def _append_token(self) -> None:
        from engine.decoding.generation import generate

        strategy, settings, seed = self.choosing
        left = self._most - len(self.token_ids)
        generation = generate(self.model, self.ids, strategy, settings, seed, max_new_tokens=left)
        step = next(generation, None)
        if step is None:
            self.stop_reason = generation.stop_reason
            return
        rank = 1 + int((step.distribution.raw > step.raw).sum())
        self.token_ids = (*self.token_ids, step.token_id)
        self.facts.append((step.log_probability, rank))
        self.stop_reason = step.stop
        if self.closing is not None and self.stop_reason != "end" and self._is_closed():
            self.stop_reason = "line"

    def _is_closed(self) -> bool:
        text = self.model.text(self.token_ids)
        return bool(text.strip()) and (text.endswith("\n") or bool(self.closing and text.endswith(self.closing)))


def _first_line(text: str) -> str:
    """The first line that is not empty, without white space around it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
