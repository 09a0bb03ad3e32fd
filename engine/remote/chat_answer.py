"""Answers of chats: what each piece of a reply says, streamed as events or in one piece."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from engine.remote import answer
from engine.remote.answer import MalformedAnswer
from engine.remote.client import tokens_used
from engine.remote.reply_token import ReplyToken, reply_tokens


class ReplyPart(NamedTuple):
    """A piece of a reply.

    text    what it adds to the reply
    tokens  the tokens that are reported with it, which may come before or after their text
    finish  why the reply has ended, as the server names it: `stop`, `length`, `content_filter` …; "" while it goes on
    used    numbers of prompt tokens and new tokens, where the server says them; (0, 0) else
    """

    text: str = ""
    tokens: tuple[ReplyToken, ...] = ()
    finish: str = ""
    used: tuple[int, int] = (0, 0)


class FailedReply(Exception):
    """An error that the server reports in the middle of a reply; its text is not read."""


def part(value: Any) -> ReplyPart:
    """The piece of a reply in an answer, or in an event of a streamed one. Raises MalformedAnswer, FailedReply."""
    if not isinstance(value, Mapping):
        raise MalformedAnswer
    if value.get("error"):
        raise FailedReply
    used = tokens_used(value)
    if value.get("choices") == []:  # of the last event, which counts the tokens
        return ReplyPart(used=used)
    found = answer.choice(value)
    said = found.get("delta") or found.get("message") or {}
    text, finish = said.get("content") if isinstance(said, Mapping) else 0, found.get("finish_reason") or ""
    if not isinstance(text, str | None) or not isinstance(finish, str):
        raise MalformedAnswer
    return ReplyPart(text or "", tuple(reply_tokens(found.get("logprobs"))), finish, used)


def parts(lines: Iterator[bytes]) -> Iterator[ReplyPart]:
    """The pieces of a reply, from the lines of a streamed answer or from those of one that is not.

    Raises MalformedAnswer, FailedReply.
    """
    whole: list[bytes] = []
    streamed = False
    for line in lines:
        name, _, data = line.strip().partition(b":")
        if name == b"data":
            streamed = True
            if data.strip() == b"[DONE]":
                return
            yield part(_value(data))
        elif not streamed and name not in (b"", b"event", b"id", b"retry"):
            whole.append(line)
    if whole and not streamed:
        yield part(_value(b"\n".join(whole)))


def _value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedAnswer from None
