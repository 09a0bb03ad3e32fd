"""Alternatives in the answers of servers, in both shapes.

`content`      a list with an object for each token: `token`, `bytes`, `logprob`, and with llama.cpp `id` (chat of all
               servers; completions of llama.cpp)
`completions`  a dictionary from each token's text, or `token_id:N`, to its log-probability (completions of the others)
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

Shape = Literal["content", "completions"]
ABSENT = -9999.0  # what OpenAI gives for a token outside of its list
TOLERANCE = 1e-3  # of a log-probability above 0, and of a sum of probabilities above 1, by rounding
_TOKEN_ID = re.compile(r"token_id:(\d{1,9})", re.ASCII)


_LONG = 2**15  # bytes of an answer from which its list is read as numbers only
_LIST = b'"top_logprobs":['
# Neither can stand within a JSON string, in which every quotation mark has a backslash before it.
_IDS = re.compile(rb'\{"id":(\d{1,9})')
_VALUES = re.compile(rb'"logprob":(-?[0-9.eE+-]+)\}')


class _Numbers(NamedTuple):
    """A list of alternatives as numbers only: (n,) ids and (n,) log-probabilities."""

    token_ids: np.ndarray
    log_probabilities: np.ndarray


def read(data: bytes) -> Any:
    """JSON value of an answer; a long list of alternatives with ids is read without its texts, in a third of the time.

    Raises ValueError, RecursionError.
    """
    return (_read_long(data) if len(data) > _LONG else None) or json.loads(data)


def _read_long(data: bytes) -> Any:
    """The value of an answer that is written as llama.cpp does; None for any other."""
    begin = data.find(_LIST) + len(_LIST)
    last = _VALUES.match(data, data.rfind(b'"logprob":'))
    if begin < len(_LIST) or last is None or data[last.end() : last.end() + 1] != b"]" or data.count(_LIST) != 1:
        return None
    stop = last.end()
    ids, values = _IDS.findall(data, begin, stop), _VALUES.findall(data, begin, stop)
    if len(ids) != len(values):
        return None
    answer = json.loads(data[:begin] + data[stop:])  # without the list
    numbers = _Numbers(np.fromstring(b",".join(ids), np.int64, sep=","), np.array(values, dtype=np.float64))
    try:
        answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"] = numbers
    except (KeyError, IndexError, TypeError):
        return None
    return answer


class MalformedAnswer(Exception):
    """An answer without what it must have, or with numbers that are no log-probabilities."""


class NoLogProbabilities(Exception):
    """A well-formed answer without log-probabilities."""


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Alternatives for one token, most probable first.

    texts              of each token; "" where the server cannot write it; () of a long list, see `read`
    token_bytes        of each token; None where the server does not give them; () of a long list
    token_ids          (n,) int64, None where the server does not give them
    log_probabilities  (n,) float64, before any filter
    chosen             text of the token that the server wrote
    """

    shape: Shape
    texts: tuple[str, ...]
    token_bytes: tuple[bytes | None, ...]
    token_ids: np.ndarray | None
    log_probabilities: np.ndarray
    chosen: str = ""

    def __len__(self) -> int:
        return len(self.log_probabilities)


def choice(answer: Any) -> dict[str, Any]:
    """The only choice of an answer. Raises MalformedAnswer."""
    try:
        found = answer["choices"][0]
    except (KeyError, IndexError, TypeError):
        raise MalformedAnswer from None
    if not isinstance(found, dict):
        raise MalformedAnswer
    return found


def parse(answer: Any) -> list[Alternatives]:
    """Alternatives for each new token of an answer. Raises NoLogProbabilities, MalformedAnswer."""
    found = choice(answer).get("logprobs")
    if not found:
        raise NoLogProbabilities
    try:
        if "content" in found:
            return [alternatives_of(token) for token in found["content"] or ()]
        chosen = found.get("tokens") or [""] * len(found["top_logprobs"])
        return [alternatives_by_text(top, text) for top, text in zip(found["top_logprobs"], chosen, strict=True)]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise MalformedAnswer from None


def only(answer: Any) -> Alternatives:
    """Alternatives for the only new token of an answer. Raises as `parse`."""
    found = parse(answer)
    if not found or not len(found[0]):
        raise NoLogProbabilities
    return found[0]


def alternatives_of(token: dict[str, Any]) -> Alternatives:
    """Alternatives in an entry of the shape `content`. Raises as `parse`, or what a missing or wrong value raises."""
    top, chosen = token["top_logprobs"], str(token.get("token", ""))
    if isinstance(top, _Numbers):
        return _checked("content", [], [], top.token_ids, top.log_probabilities, chosen)
    present = [entry for entry in top if entry["logprob"] is not None and not entry["logprob"] <= ABSENT]
    ids = [entry.get("id") for entry in present]
    token_bytes = [entry.get("bytes") for entry in present]
    return _checked(
        "content",
        [entry["token"] for entry in present],
        [None if data is None else bytes(data) for data in token_bytes],
        ids if all(type(i) is int for i in ids) else None,
        [entry["logprob"] for entry in present],
        chosen,
    )


def alternatives_by_text(top: dict[str, float], chosen: str) -> Alternatives:
    """Alternatives in an entry of the shape `completions`. Raises as `alternatives_of`."""
    present = {text: value for text, value in top.items() if value is not None and not value <= ABSENT}
    numbered = [_TOKEN_ID.fullmatch(text) for text in present]
    ids = [int(match[1]) for match in numbered if match]
    return _checked(
        "completions",
        list(present),
        [None] * len(present),
        ids if len(ids) == len(present) else None,
        list(present.values()),
        str(chosen),
    )


def _checked(
    shape: Shape, texts: list[str], token_bytes: list[bytes | None], ids: Sequence[int] | np.ndarray | None,
    values: Sequence[float] | np.ndarray, chosen: str,
) -> Alternatives:  # fmt: skip
    log_probabilities = np.array(values, dtype=np.float64)
    if not np.isfinite(log_probabilities).all() or (log_probabilities > TOLERANCE).any():
        raise MalformedAnswer
    if float(np.exp(log_probabilities).sum()) > 1 + TOLERANCE or not all(isinstance(text, str) for text in texts):
        raise MalformedAnswer
    token_ids = None if ids is None else np.array(ids, dtype=np.int64)
    if token_ids is not None and (len(np.unique(token_ids)) < len(token_ids) or (token_ids < 0).any()):
        raise MalformedAnswer
    order = np.argsort(-log_probabilities, kind="stable")
    return Alternatives(
        shape,
        tuple(texts[i] for i in order) if texts else (),
        tuple(token_bytes[i] for i in order) if token_bytes else (),
        None if token_ids is None else token_ids[order],
        log_probabilities[order],
        chosen,
    )
