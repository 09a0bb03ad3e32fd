"""A conversation as text for a link, and back. No Streamlit here."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pages.chat.reply import ReplyStop
from pages.session import json_parameter

_NAME = 60  # most characters of a server's name
_STOPS: tuple[ReplyStop, ...] = ("length", "person", "context", "line")  # the end of a turn is among the tokens


class LinkedChat(NamedTuple):
    """What a link holds.

    said  the messages in turn, the visitor's first
    ids   tokens of the reply at the end; () if unknown
    stop  why that reply stopped; None if unknown
    by    name of the server that replies; "" for the model at hand. Of its replies the texts are all there is
    """

    said: tuple[str, ...] = ()
    system: str = ""
    plain: bool = False
    thinking: bool = True
    ids: tuple[int, ...] = ()
    stop: ReplyStop | None = None
    by: str = ""


def encoded(chat: LinkedChat) -> str | None:
    """The URL parameter, without the tokens where it would be too long; None if it is too long even so."""
    values: dict[str, Any] = {"said": chat.said, "system": chat.system}
    values |= {"plain": 1} if chat.plain else {}
    values |= {} if chat.thinking else {"thinking": 0}
    values |= {"stop": chat.stop} if chat.stop in _STOPS else {}
    values |= {"by": chat.by} if chat.by else {}
    return json_parameter.encoded(values | ({"ids": chat.ids} if chat.ids else {}), values)


def decoded(text: str) -> LinkedChat | None:
    """What a decoded parameter says; None for anything that `encoded` does not write."""
    try:
        values = json.loads(text)
        said, system, ids = values["said"], values.get("system", ""), values.get("ids", [])
        by = values.get("by", "")
        plain, thinking = bool(values.get("plain")), bool(values.get("thinking", 1))
        stop = next((stop for stop in _STOPS if stop == values.get("stop")), None)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not (_are(str, said) and _are(str, [system, by]) and _are(int, ids) and min(ids, default=0) >= 0):
        return None
    return LinkedChat(tuple(said), system, plain, thinking, tuple(ids), stop, by[:_NAME])


def _are(kind: type, values: Any) -> bool:
    """Whether `values` is a list of this type alone; bool is not int."""
    return isinstance(values, list) and all(type(value) is kind for value in values)
