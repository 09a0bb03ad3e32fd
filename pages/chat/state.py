"""State of the chat page: a conversation, the reply that is being written, and the actions on them. No Streamlit here.

The conversation is text. For every reply it is made into tokens anew, by the model's chat template or as plain text,
and the model continues these, as on every other page; or it is sent to a server that only chats. An action with an
outdated `turn` does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import EngineError, PromptError
from engine.remote.endpoint import PREFIX
from engine.serving import endpoints
from engine.tokenization.chat_template import ChatMessage
from pages.chat import link, replies
from pages.chat.link import LinkedChat
from pages.chat.reply import DEFAULT_TOKENS, Choosing, Reply, ReplyStop
from pages.chat.server_reply import ServerReply
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
    server    name of the model of the server that replies; "" where the model at hand does
    lost      name of the server of a link that is not offered here; "" for none
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
    server: str = ""
    lost: str = ""
    too_long: bool = False
    settings_changed: bool = False
    _heard: ServerReply | None = None  # the last one of a server, for when the visitor comes back to it

    @property
    def answer(self) -> Reply | ServerReply | None:
        """The reply to the last message; None before the first, and where it was refused."""
        return self.run.work if isinstance(self.run.work, Reply | ServerReply) else None

    @property
    def reply(self) -> Reply | None:
        """The reply of a model here, whose tokens can be continued."""
        return self.run.work if isinstance(self.run.work, Reply) else None

    @property
    def shown(self) -> list[ChatMessage]:
        """The messages with the reply, without the system prompt."""
        return [*self.messages, *([] if self.answer is None else [ChatMessage("assistant", self.answer.text)])]

    def is_plain(self, model: Model) -> bool:
        """Whether the conversation is written out as plain text for a model."""
        return self.plain or model.chat_template is None

    def ready(self, model: Model) -> None:
        """Make the reply's tokens those of another model, if it has changed; the text stays."""
        if self.model != model.name:
            self.model = model.name
            if not self.server:
                self._read_again(model)

    def set_plain(self, model: Model, plain: bool) -> None:
        """Do with or without the chat template; the conversation stays."""
        if plain != self.plain:
            self.plain = plain
            self._read_again(model)

    def choose_server(self, model: Model, name: str) -> None:
        """Let a server reply from now on, or with "" the model at hand; the conversation stays."""
        if name != self.server:
            self.server = name
            self._read_again(model)

    def _read_again(self, model: Model) -> None:
        """Read the conversation anew, for what has changed since its last reply."""
        said, before = tuple(self.shown), self.answer
        self.run.stop()
        self._heard = before if isinstance(before, ServerReply) and before.tokens else self._heard
        self.run = IncrementalRun(turn=self.run.turn)
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
        same = self.answer is not None and self.answer.choosing == replies.choosing(session)
        if same and session.strategy == "sample":
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
        whole = replies.with_system(self.system, self.messages)
        self.effect.begin(reply, lambda: replies.uncut_plain_reply(model, whole, reply.choosing, self.t, self.tokens))

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
        self.lost = ""
        self.turn += 1

    def _answer(self, session: TextState, model: Model, messages: tuple[ChatMessage, ...]) -> bool:
        """Begin a reply to the last of the messages, which become the conversation if it can be read."""
        begun = self.run.turn
        choosing, whole = replies.choosing(session), replies.with_system(self.system, messages)
        if self.server:
            self.run.begin(None, lambda: replies.server_reply(self.server, model, whole, choosing, self.tokens))
        else:
            self.run.begin(None, lambda: self._read(model, messages, choosing).allow(self.tokens))
        if self.run.turn == begun:
            return False
        self.messages, self.model = messages, model.name
        self._changed()
        return True

    def _read(self, model: Model, messages: tuple[ChatMessage, ...], choosing: Choosing) -> Reply:
        """The reply of a model here to a conversation, with no tokens yet. Raises EngineError."""
        whole = replies.with_system(self.system, messages)
        return replies.local_reply(model, whole, choosing, self.is_plain(model), self.thinking, self.t)

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
        if self.server:
            text, heard = said[-1].content, self._heard
            is_same = heard is not None and bool(self.messages) and heard.is_same(self.server, said[-2].content, text)
            self.run.work = heard if is_same else ServerReply(choosing, self.messages, given=text)
            self.run.problem = None
            return
        try:
            reply = self._read(model, self.messages, choosing).give(said[-1].content, ids, stop)
            self.run.work, self.run.problem = reply, None
        except EngineError as error:
            self.messages, self.run.problem = said, error

    def load_in_step(self, session: TextState, model: Model, turn: int, node: int = -1, token: int = -1) -> bool:
        """Load the stream of tokens into the session, with the cursor at `node`, and `token` chosen there if given."""
        if turn != self.turn or self.reply is None or self.reply.model is not model:
            return False
        self.reply.load_in_step(session, node, token)
        return True

    def to_query(self) -> dict[str, str]:
        """The conversation as a URL parameter; see `UrlState` in `shell/url_state.py`."""
        ended = None if self.run.running else self.reply
        ids, stop = ((), None) if ended is None else (ended.token_ids, ended.stop_reason)
        said = tuple(message.content for message in self.shown)
        by = self.server.removeprefix(PREFIX) or self.lost
        chat = LinkedChat(said, self.system, self.plain, self.thinking, ids, stop, by)
        code = None if chat == LinkedChat() else link.encoded(chat)
        self.too_long = code is None and chat != LinkedChat()
        return {} if code is None else {_NAME: code}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the conversation. Raises PromptError for one that the host does not allow."""
        self.run.stop()
        self.run, self.messages, self.model = IncrementalRun(), (), model.name
        self.system, self.plain, self.thinking, self.server, self.lost = "", False, True, "", ""
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
        offered = endpoints.find(PREFIX + chat.by) is not None
        self.server = PREFIX + chat.by if offered else ""
        self._take(model, said, replies.choosing(session), chat.ids, chat.stop)
        self.lost = "" if offered else chat.by
        if isinstance(self.run.problem, PromptError) and self.run.problem.code == "limit_demo":
            problem, self.run, self.messages, self.system = self.run.problem, IncrementalRun(), (), ""
            raise problem
