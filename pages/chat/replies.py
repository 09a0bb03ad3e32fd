"""Replies that are begun: by the model at hand, or by a server that only chats. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine import usage
from engine.errors import surrogate_error
from engine.serving import chat_servers, config
from engine.tokenization.chat_template import ChatMessage
from pages.chat.reply import Choosing, Reply
from pages.chat.server_reply import ServerReply
from pages.chat.transcript import transcript
from pages.i18n.translator import Translator
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model


def choosing(session: TextState) -> Choosing:
    """How the visitor lets tokens be chosen."""
    return Choosing(session.strategy, session.settings, session.seed)


def with_system(system: str, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages with the system prompt before them, if there is one."""
    return [*([ChatMessage("system", system)] if system.strip() else []), *messages]


def local_reply(
    model: Model, messages: Sequence[ChatMessage], choosing: Choosing, plain: bool, thinking: bool, t: Translator
) -> Reply:
    """The reply of a model to a conversation, with no tokens yet. Raises EngineError."""
    from engine.model.chat import read_chat, read_plain  # imports the model's code: only once one is loaded

    if not plain:
        return Reply(model, read_chat(model, messages, thinking), choosing)
    lines = transcript(messages, t)
    return Reply(model, read_plain(model, lines.text, lines.messages), choosing, lines.closing)


def uncut_plain_reply(
    model: Model, messages: Sequence[ChatMessage], choosing: Choosing, t: Translator, tokens: int
) -> Reply:
    """The reply to a conversation as plain text, which nothing cuts, to see where it ends. Raises EngineError."""
    reply = local_reply(model, messages, choosing, True, True, t)
    reply.closing = None
    return reply.allow(tokens)


def server_reply(
    server: str, model: Model, messages: Sequence[ChatMessage], choosing: Choosing, tokens: int
) -> ServerReply:
    """The reply of a server, asked for.

    The host's limit of tokens a prompt is applied to the tokens of `model`, since those of the server are unknown.
    Raises EngineError.
    """
    from engine.model.chat import check_messages  # imports the model's code: only once one is loaded

    check_messages(messages)
    for message in messages:
        try:
            message.content.encode("utf-8")
        except UnicodeEncodeError as error:
            raise surrogate_error(error) from error
        if message.role != "assistant" and config.current().prompt_tokens:
            usage.check_length(message.content, len(model.encode(message.content)))
    usage.charge()
    return ServerReply(choosing, messages).ask(chat_servers.server(server), tokens)
