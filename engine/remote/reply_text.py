"""Texts of a reply's tokens, put together by their bytes: never a replacement character."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from engine.remote.reply_token import ReplyToken
from engine.tokenization.unicode import characters, describe, incomplete

_LONGEST = 4  # bytes of a character
_UNKNOWN = "\ufffd"  # what servers write for bytes that are no character


def whole_text(said: str, tokens: Sequence[ReplyToken]) -> str:
    """Text of a reply: as the server says it, or where that has lost characters, from the bytes of the tokens."""
    if _UNKNOWN not in said:
        return said
    if not tokens or any(token.data is None for token in tokens):
        return said.replace(_UNKNOWN, "")
    return "".join(span.char or "" for span in characters(b"".join(map(_bytes, tokens)))).replace(_UNKNOWN, "")


def labels(tokens: Sequence[ReplyToken]) -> list[str]:
    """What a person reads for each token; of a part of a character, which character and which of its bytes."""
    data = b"".join(map(_bytes, tokens))
    ends = [0, *accumulate(len(_bytes(token)) for token in tokens)]
    spans, first = characters(data), 0
    found: list[str] = []
    for start, stop in pairwise(ends):
        while first < len(spans) and spans[first].stop <= start:
            first += 1
        last = first
        while last < len(spans) and spans[last].start < stop:
            last += 1
        found.append(describe(data, spans[first:last], start, stop))
    return found


def alternative_labels(tokens: Sequence[ReplyToken], at: int) -> list[str]:
    """What a person reads for each alternative of the token `at`, after what was written before it."""
    listed = tokens[at].alternatives
    before = b"".join(map(_bytes, tokens[max(0, at - _LONGEST) : at])) + _merged_before(tokens[at])
    begun = before[len(before) - incomplete(before) :]
    labels = []
    for text, own in zip(listed.texts, listed.token_bytes, strict=True):
        data = begun + (_encoded(text) if own is None else own)
        spans = [span for span in characters(data) if span.stop > len(begun)]
        labels.append(describe(data, spans, len(begun), len(data)))
    return labels


def _merged_before(token: ReplyToken) -> bytes:
    """Bytes of the tokens that the server counts as a part of this one."""
    if not token.is_merged or token.listed is None:
        return b""
    own = token.alternatives.token_bytes[token.listed] or b""
    return _bytes(token).removesuffix(own)


def _bytes(token: ReplyToken) -> bytes:
    return _encoded(token.text) if token.data is None else token.data


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
