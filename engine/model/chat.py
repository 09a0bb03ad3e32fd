"""Conversations with a model: reading one for the model to reply, by its chat template or as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine import usage
from engine.errors import EngineError, PromptError, context_error, surrogate_error
from engine.model.model import MAX_CHARACTERS, Model
from engine.tokenization.chat_encoding import THINKING, EncodedChat, encode_chat
from engine.tokenization.chat_template import ChatMessage


class ReplyParts(NamedTuple):
    """A reply: what the model wrote between its thinking marks, and its answer.

    thinking  None for a reply without such a part
    closed    whether the thinking part has ended
    """

    thinking: str | None
    closed: bool
    answer: str


def read_chat(model: Model, messages: Sequence[ChatMessage], thinking: bool = True) -> EncodedChat:
    """Tokens of a conversation by the model's chat template, checked as `Model.read_prompt` checks a prompt.

    `thinking` as in `ChatTemplate.render`.
    Raises PromptError as that does, and the errors of `encode_chat`.
    """
    if model.chat_template is None:
        raise EngineError("chat_template", f"{model.name} has no chat template", reason="missing")
    check_messages(messages)
    try:
        chat = encode_chat(model.vocabulary, model.chat_template, messages, thinking)
    except UnicodeEncodeError as error:
        raise surrogate_error(error) from error
    return _checked(model, messages, chat)


def read_plain(model: Model, text: str, messages: Sequence[ChatMessage]) -> EncodedChat:
    """Tokens of a conversation that is written out as `text`, for a model without a chat template."""
    check_messages(messages)
    ids = model.encode(text)
    places, position = [], 0
    for message in messages:
        found = text.find(message.content, position)
        if message.content and found >= 0:
            position = found + len(message.content)
            places.append((found, position))
    own = tuple(any(a < last and first < b for first, last in places) for a, b in model.vocabulary.spans(text))
    return _checked(model, messages, EncodedChat(text, ids, own))


def check_messages(messages: Sequence[ChatMessage]) -> None:
    """Check a conversation as `Model.read_prompt` checks a prompt, apart from its tokens. Raises PromptError."""
    for message in messages:
        if message.role != "assistant":
            usage.check_prompt(message.content)
    count = sum(len(message.content) for message in messages)
    if count > MAX_CHARACTERS:
        raise PromptError("characters", f"{count} characters", count=count, most=MAX_CHARACTERS)
    if not messages or not messages[-1].content.strip():
        raise PromptError("empty", "the message contains only white space")


def _checked(model: Model, messages: Sequence[ChatMessage], chat: EncodedChat) -> EncodedChat:
    """The conversation, if it leaves room for a token, within the host's limits; it is charged."""
    if len(chat.ids) >= model.context_length:
        raise context_error(len(chat.ids), model.context_length)
    model.check_text(chat.ids)
    for message in messages:
        if message.role != "assistant":
            usage.check_length(message.content, len(model.encode(message.content)) - len(model.vocabulary.start))
    usage.charge(1 + len(chat.ids) // usage.TOKENS_PER_STEP)
    return chat


def reply_text(model: Model, ids: Sequence[int]) -> str:
    """Text of a reply, with the thinking marks also where these are special tokens."""
    names = {i: name for i in model.vocabulary.special if (name := _name(model, i)) in THINKING}
    text = ""
    run: list[int] = []
    for token_id in ids:
        if token_id in names:
            text, run = text + model.text(run) * bool(run) + names[token_id], []
        else:
            run.append(token_id)
    return text + (model.text(run) if run else "")


def _name(model: Model, token_id: int) -> str:
    return model.vocabulary.token_bytes(token_id).decode("utf-8", "replace")


def reply_parts(text: str, before: str = "") -> ReplyParts:
    """The parts of a reply's text. `before`: the text that the model replies to, which may open the thinking part.

    >>> reply_parts("<think>\\nhm\\n</think>\\n\\nYes.")
    ReplyParts(thinking='hm', closed=True, answer='Yes.')
    """
    begin, end = THINKING
    opened = before.rstrip().endswith(begin)
    if not opened and not text.lstrip().startswith(begin):
        return ReplyParts(None, True, text.strip())
    thinking, closed, answer = text.lstrip().removeprefix(begin).partition(end)
    return ReplyParts(thinking.strip(), bool(closed), answer.strip())
