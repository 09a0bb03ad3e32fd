"""One reply of a chat that a server writes by itself, with the alternatives that it reports. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from engine.errors import EngineError
from engine.serving import config
from engine.tokenization.chat_template import ChatMessage
from engine.tokenization.unicode import simplified_characters
from pages.chat.reply import Choosing

if TYPE_CHECKING:
    from engine.remote.chat_server import ChatServer, ServerSampling
    from engine.remote.chat_stream import ChatStream
    from engine.remote.reply_token import ReplyToken

ServerStop = Literal["end", "length", "person", "filter", "empty", "broken", "other"]
_WAIT = 0.25  # seconds after which a visitor who has pressed Stop is heard
_STOPS: dict[str, ServerStop] = {"stop": "end", "length": "length", "content_filter": "filter"}


def server_sampling(choosing: Choosing, tokens: int) -> ServerSampling:
    """What a server is asked for in place of the settings of this app."""
    from engine.remote.chat_server import ServerSampling

    strategy, settings, seed = choosing
    tokens = min(tokens, config.current().run_tokens)
    if strategy == "greedy":
        return ServerSampling(0.0, 1.0, None, tokens)
    return ServerSampling(settings.temperature, settings.top_p, seed, tokens)


class ServerReply:
    """A reply that a server writes, or wrote.

    choosing     the settings in force, of which the server is sent some; see `server_sampling`
    messages     the conversation that it answers
    by           name of the server's model, once it is asked
    tokens       the tokens that the server has reported so far
    most_listed  number of alternatives that it was asked for
    written      number of tokens that it says it has written; 0 if unknown
    is_given     whether this is the text of a reply from elsewhere, of which nothing else is known
    stop_reason  why it has ended; None while it goes on, and for one that is given
    """

    def __init__(self, choosing: Choosing, messages: Sequence[ChatMessage], given: str | None = None) -> None:
        self.choosing, self.messages = choosing, tuple(messages)
        self.by = ""
        self.tokens: list[ReplyToken] = []
        self.most_listed = self.written = 0
        self.is_given = given is not None
        self.stop_reason: ServerStop | None = None
        self._said, self._finish, self._most = given or "", "", 0
        self._stream: ChatStream | None = None

    def ask(self, server: ChatServer, tokens: int) -> ServerReply:
        """The reply, asked for. Raises EngineError where the host does not allow the request."""
        sampling = server_sampling(self.choosing, tokens)
        said = [message for message in self.messages if message.content or message.role == "user"]
        self.by, self._most, self.most_listed = server.client.endpoint.model_name, sampling.tokens, server.top
        self._stream = server.reply(said, sampling)
        return self

    def is_same(self, by: str, said: str, text: str) -> bool:
        """Whether this is a server's reply with a text to what was said last."""
        return bool(self.tokens) and (self.by, self.messages[-1].content, self.text) == (by, said, text)

    @property
    def text(self) -> str:
        """What the reply says, whole characters only."""
        from engine.remote.reply_text import whole_text

        return whole_text(self._said, self.tokens)

    @property
    def simplified(self) -> list[str]:
        """Simplified Chinese characters of the reply that the conversation does not contain, each once."""
        before = "".join(message.content for message in self.messages)
        return [char for char in simplified_characters(self.text) if char not in before]

    @property
    def fewest_listed(self) -> int:
        """Number of alternatives of the token that has the fewest."""
        return min((len(token.alternatives) for token in self.tokens), default=0)

    @property
    def unreported(self) -> int:
        """Number of tokens that the server says it has written but does not report; the end mark does not count."""
        return max(0, self.written - len(self.tokens) - (self.stop_reason == "end")) if self.done else 0

    @property
    def done(self) -> bool:
        return self.stop_reason is not None

    @property
    def progress(self) -> float:
        """Fraction of the work done, from 0 to 1, as if the reply took all the tokens that it may."""
        return 1.0 if self.done or not self._most else min(1.0, len(self.tokens) / self._most)

    def step(self) -> bool:
        """Take what the server has written since. True while the reply can go on. Raises EngineError."""
        if self.done or self._stream is None:
            return False
        wait = _WAIT
        try:
            while (piece := self._stream.next(wait)) is not None:
                wait = 0.0
                if not (piece.text or piece.tokens or piece.finish or any(piece.used)):
                    return True
                self._said += piece.text
                self.tokens += piece.tokens
                self.written = max(self.written, piece.used[1])
                self._finish = piece.finish or self._finish
        except EngineError:
            self.stop_reason = "broken"
            raise
        self.stop_reason = _STOPS.get(self._finish, "other")
        if not self._said.strip() and self.stop_reason != "filter":
            self.stop_reason = "empty"
        return False

    def stop(self) -> None:
        """End the reply at the visitor's request; what is written remains."""
        if self._stream is not None:
            self._stream.stop()
        self.stop_reason = self.stop_reason or "person"
