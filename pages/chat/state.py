"""State of the chat page: a conversation, the reply that is being written, and the actions on them. No Streamlit here.

The conversation is text. For every reply it is made into tokens anew, by the model's chat template or as plain text,
and the model continues these, as on every other page. An action with an outdated `turn` does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import EngineError, PromptError
from engine.sampling.settings import TokenOrigin
from engine.tokenization.chat_template import ChatMessage
from pages.chat import link
from pages.chat.link import LinkedChat
from pages.chat.reply import DEFAULT_TOKENS, Choosing, Reply, ReplyStop
from pages.chat.transcript import transcript
from pages.i18n.translator import Translator
from pages.session.incremental_run import IncrementalRun
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model

_NAME = "talk"  # of the URL parameter


@dataclass
class ChatState:
    """State of one visitor's chat.

    t         language of a plain text
    system    the system prompt; "" for none
    messages  what was said, up to the last message of the visitor; the reply to it is in `run`
    plain     whether to do without the chat template
    thinking  whether the model may think before it answers, where its chat template leaves the choice
    tokens    most tokens of a reply
    effect    the same messages continued without the template; `asked` is the reply that it is compared with
    turn      incremented by every change of the conversation; events of an earlier turn are outdated
    model     name of the model that the reply's tokens belong to
    too_long  whether the conversation does not fit into a link
    settings_changed  whether an action has changed the seed, which the page has still to show
    """

    t: Translator = field(default_factory=lambda: Translator("en"))
    system: str = ""
    messages: tuple[ChatMessage, ...] = ()
    plain: bool = False
    thinking: bool = True
    tokens: int = DEFAULT_TOKENS
    run: IncrementalRun = field(default_factory=IncrementalRun)
    effect: IncrementalRun = field(default_factory=IncrementalRun)
    turn: int = 0
    model: str = ""
    too_long: bool = False
    settings_changed: bool = False

    @property
    def reply(self) -> Reply | None:
        """The reply to the last message; None before the first, and where it was refused."""
        return self.run.work if isinstance(self.run.work, Reply) else None

    @property
    def shown(self) -> list[ChatMessage]:
        """The messages with the reply, without the system prompt."""
        return [*self.messages, *([] if self.reply is None else [ChatMessage("assistant", self.reply.text)])]

    def is_plain(self, model: Model) -> bool:
        """Whether the conversation is written out as plain text for a model."""
        return self.plain or model.chat_template is None

    def ready(self, model: Model) -> None:
        """Make the reply's tokens those of another model, if it has changed; the text stays."""
        if self.model != model.name:
            said, before = tuple(self.shown), self.reply
            self.run.stop()
            self.model, self.run = model.name, IncrementalRun(turn=self.run.turn)
            if before is not None:
                self._take(model, said, before.choosing)

    def set_plain(self, model: Model, plain: bool) -> None:
        """Do with or without the chat template; the conversation stays."""
        if plain != self.plain:
            said, before = tuple(self.shown), self.reply
            self.run.stop()
            self.plain, self.run = plain, IncrementalRun(turn=self.run.turn)
            if before is not None:
                self._take(model, said, before.choosing)

    def send(self, session: TextState, model: Model, turn: int, text: str) -> bool:
        """Say something; False, with the reason in `run.problem`, if it cannot be read."""
        if turn != self.turn:
            return False
        return self._answer(session, model, (*self.shown, ChatMessage("user", text)))

    def edit(self, session: TextState, model: Model, turn: int, at: int, text: str) -> bool:
        """Say something else in the place of a message; what came after it is left out."""
        if turn != self.turn or not 0 <= at < len(self.messages) or self.messages[at].role != "user":
            return False
        return self._answer(session, model, (*self.messages[:at], ChatMessage("user", text)))

    def again(self, session: TextState, model: Model, turn: int) -> bool:
        """Another reply to the last message, with the next seed where tokens are drawn."""
        if turn != self.turn or not self.messages:
            return False
        unanswered = self.messages[-1].role == "user"  # else the reply of a link could not be read
        before = session.seed
        if self.reply is not None and self.reply.choosing == _choosing(session) and session.strategy == "sample":
            session.seed = (session.seed + 1) % 2**31
        if self._answer(session, model, self.messages if unanswered else self.messages[:-1]):
            return True
        session.seed = before
        return False

    def go_on(self, turn: int) -> bool:
        """Let a reply that has not ended by itself go on."""
        reply = self.reply
        if turn != self.turn or reply is None or reply.stop_reason not in ("length", "person") or reply.end_name:
            return False
        self.run.begin(None, lambda: reply.allow(self.tokens))
        return True

    def compare(self, model: Model) -> None:
        """Continue the same messages as plain text, with the settings and the seed of the reply by the template."""
        reply = self.reply
        if reply is None or self.is_plain(model) or self.run.running:
            return

        def plain_reply() -> Reply:
            plain = self._read(model, self.messages, reply.choosing, plain=True)
            plain.closing = None  # nothing cuts it: where does it end by itself?
            return plain.allow(self.tokens)

        self.effect.begin(reply, plain_reply)

    @property
    def compared(self) -> Reply | None:
        """The reply as plain text, of `compare`; None where it belongs to an earlier reply."""
        work = self.effect.work
        return work if isinstance(work, Reply) and self.effect.asked is self.reply else None

    def clear(self, turn: int) -> None:
        """Begin a new conversation with the same system prompt."""
        if turn == self.turn:
            self.run.stop()
            self.run, self.messages = IncrementalRun(), ()
            self._changed()

    def _changed(self) -> None:
        self.effect.stop()
        self.turn += 1

    def _answer(self, session: TextState, model: Model, messages: tuple[ChatMessage, ...]) -> bool:
        """Begin a reply to the last of the messages, which become the conversation if it can be read."""
        begun = self.run.turn
        self.run.begin(None, lambda: self._read(model, messages, _choosing(session)).allow(self.tokens))
        if self.run.turn == begun:
            return False
        self.messages, self.model = messages, model.name
        self._changed()
        return True

    def _read(self, model: Model, messages: tuple[ChatMessage, ...], choosing: Choosing, plain: bool = False) -> Reply:
        """The reply to a conversation, with no tokens yet. Raises EngineError."""
        from engine.model.chat import read_chat, read_plain  # imports the model's code: only once one is loaded

        whole = [ChatMessage("system", self.system)] if self.system.strip() else []
        whole += messages
        if not (plain or self.is_plain(model)):
            return Reply(model, read_chat(model, whole, self.thinking), choosing)
        lines = transcript(whole, self.t)
        return Reply(model, read_plain(model, lines.text, lines.messages), choosing, lines.closing)

    def _take(
        self, model: Model, said: tuple[ChatMessage, ...], choosing: Choosing, ids: tuple[int, ...] = (),
        stop: ReplyStop | None = None,
    ) -> None:  # fmt: skip
        """Make `said` the conversation; a reply at its end has these ids, if they are that text's, else its own.

        Where it cannot be read, it is kept as text, with the reason in `run.problem`.
        """
        reply_is_last = bool(said) and said[-1].role == "assistant"
        self.messages = said[:-1] if reply_is_last else said
        self._changed()
        if not reply_is_last:
            return
        try:
            reply = self._read(model, self.messages, choosing).give(said[-1].content, ids, stop)
            self.run.work, self.run.problem = reply, None
        except EngineError as error:
            self.messages, self.run.problem = said, error

    def load_in_step(self, session: TextState, model: Model, turn: int, node: int = -1, token: int = -1) -> bool:
        """Load the stream of tokens into the session, with the cursor at `node`, and `token` chosen there if given."""
        reply = self.reply
        if turn != self.turn or reply is None or reply.model is not model:
            return False
        how: TokenOrigin = "greedy" if reply.choosing.strategy == "greedy" else "drawn"
        ids = reply.chat.ids
        if node < 0 or node >= len(ids):
            session.load_text(model, model.text(ids), ids, reply.token_ids, how)
        else:  # within what was said: the prompt ends there
            session.load_text(model, model.text(ids[: node + 1]), ids[: node + 1], (), how)
        assert session.trace is not None
        if node >= len(ids):
            session.go_to(model, session.turn, session.trace.path()[node])
        if token >= 0:
            session.pick(model, session.turn, token)
        session.opened_from = "chat"
        return True

    def to_query(self) -> dict[str, str]:
        """The conversation as a URL parameter; see `UrlState` in `shell/url_state.py`."""
        ended = None if self.run.running else self.reply
        ids, stop = ((), None) if ended is None else (ended.token_ids, ended.stop_reason)
        said = tuple(message.content for message in self.shown)
        chat = LinkedChat(said, self.system, self.plain, self.thinking, ids, stop)
        code = None if chat == LinkedChat() else link.encoded(chat)
        self.too_long = code is None and chat != LinkedChat()
        return {} if code is None else {_NAME: code}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the conversation. Raises PromptError for one that the host does not allow."""
        self.run.stop()
        self.run, self.messages, self.model = IncrementalRun(), (), model.name
        self.system, self.plain, self.thinking = "", False, True
        self.turn += 1
        text = params.decoded(_NAME)
        if text is None:
            return
        chat = link.decoded(text)
        if chat is None:
            params.unread.add(_NAME)
            return
        self.system, self.plain, self.thinking = chat.system, chat.plain, chat.thinking
        said = tuple(ChatMessage("assistant" if i % 2 else "user", text) for i, text in enumerate(chat.said))
        self._take(model, said, _choosing(session), chat.ids, chat.stop)
        if isinstance(self.run.problem, PromptError) and self.run.problem.code == "limit_demo":
            problem, self.run, self.messages, self.system = self.run.problem, IncrementalRun(), (), ""
            raise problem


def _choosing(session: TextState) -> Choosing:
    return Choosing(session.strategy, session.settings, session.seed)
