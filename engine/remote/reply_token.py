"""Tokens of a reply that a server writes by itself, each with what the server says could have stood there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.remote.answer import (
    ABSENT,
    TOLERANCE,
    Alternatives,
    MalformedAnswer,
    alternatives_by_text,
    alternatives_of,
)


@dataclass(frozen=True, eq=False)
class ReplyToken:
    """One token of a reply.

    text             as the server writes it; "" where it cannot
    data             its bytes; None where the server does not give them
    log_probability  None where the server does not say it
    alternatives     the tokens that the server lists for its place, most probable first, itself most often among them
    listed           its place among these; None if it is not
    is_merged        whether the server counts the end of a character and the tokens before it as this one: the
                     probability is that of the last of them (llama.cpp)
    """

    text: str
    data: bytes | None
    log_probability: float | None
    alternatives: Alternatives
    listed: int | None
    is_merged: bool = False

    @cached_property
    def named(self) -> list[float]:
        """Probabilities of all tokens that the server names for this place: the alternatives, and itself."""
        values = [math.exp(value) for value in self.alternatives.log_probabilities.tolist()]
        if self.listed is None and self.log_probability is not None:
            values.append(math.exp(self.log_probability))
        return values

    @property
    def unseen(self) -> float:
        """Probability of all tokens together that the server does not name."""
        return max(0.0, 1.0 - math.fsum(self.named))

    @property
    def entropy(self) -> float:
        """Lower bound of the entropy at this place, in nats: that with all tokens that are not named counted as one."""
        return math.fsum(-p * math.log(p) for p in (*self.named, self.unseen) if p > 0)


def reply_tokens(logprobs: Any) -> list[ReplyToken]:
    """Tokens of what a choice of an answer has as `logprobs`, in both shapes. Raises MalformedAnswer."""
    if not logprobs:
        return []
    try:
        if "content" in logprobs:
            return [_token(entry) for entry in logprobs["content"] or ()]
        tops = logprobs["top_logprobs"]
        found = zip(logprobs["tokens"], logprobs["token_logprobs"], tops, strict=True)
        return [_of_text(text, value, top) for text, value, top in found]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise MalformedAnswer from None


def _token(entry: dict[str, Any]) -> ReplyToken:
    text, given = entry["token"], entry.get("bytes")
    if not isinstance(text, str):
        raise MalformedAnswer
    data = None if given is None else bytes(given)
    found = alternatives_of(entry | {"top_logprobs": entry.get("top_logprobs") or []})
    value = _checked(entry["logprob"])
    at = _place(found, entry.get("id"), text, data, value)
    merged = at is not None and data is not None and found.token_bytes[at] not in (None, data)
    return ReplyToken(text, data, value, _fitting(found, at, value), at, merged)


def _of_text(text: Any, value: Any, top: dict[str, float] | None) -> ReplyToken:
    if not isinstance(text, str):
        raise MalformedAnswer
    found, own = alternatives_by_text(top or {}, text), _checked(value)
    at = _place(found, None, text, None, own)
    return ReplyToken(text, None, own, _fitting(found, at, own), at)


def _checked(value: Any) -> float | None:
    """The log-probability of the token itself; None where the server says that it is outside of its list."""
    if value is None:
        return None
    number = float(value)
    if math.isnan(number) or number > TOLERANCE:
        raise MalformedAnswer
    return None if number <= ABSENT else number


def _place(found: Alternatives, token_id: Any, text: str, data: bytes | None, value: float | None) -> int | None:
    """Place of the token among its alternatives: by its id, else its bytes, else its text; then by probability."""
    if found.token_ids is not None and type(token_id) is int:
        return next((i for i, other in enumerate(found.token_ids.tolist()) if other == token_id), None)
    if data:
        same = [i for i, other in enumerate(found.token_bytes) if other == data]
    else:
        same = [i for i, other in enumerate(found.texts) if other == text]
    values = found.log_probabilities.tolist()
    return min(same, key=lambda i: abs(values[i] - (value or 0.0)), default=None)


def _fitting(found: Alternatives, at: int | None, value: float | None) -> Alternatives:
    """The alternatives, if the token itself still has room beside them. Raises MalformedAnswer."""
    total = math.fsum(math.exp(other) for other in found.log_probabilities.tolist())
    if at is None and value is not None and total + math.exp(value) > 1 + TOLERANCE:
        raise MalformedAnswer
    return found
