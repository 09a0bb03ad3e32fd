"""A conversation as plain text, for a model without a chat template: who says what, line by line. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.tokenization.chat_template import ChatMessage
from pages.i18n.translator import Translator

_BLANK = "{text}"


class Transcript(NamedTuple):
    """The text, up to where the reply begins, the messages as they stand in it, and what closes a reply."""

    text: str
    messages: list[ChatMessage]
    closing: str


def transcript(messages: Sequence[ChatMessage], t: Translator) -> Transcript:
    """The conversation as lines of the page's language. A line break in a message becomes a space."""
    lines = {role: t(f"chat.plain.{role}") for role in ("system", "user", "assistant")}
    flat = [message._replace(content=" ".join(message.content.split())) for message in messages]
    text = "".join(lines[message.role].replace(_BLANK, message.content) for message in flat)
    opening, closing = lines["assistant"].split(_BLANK)
    return Transcript(text + opening.rstrip(), flat, closing.strip())
