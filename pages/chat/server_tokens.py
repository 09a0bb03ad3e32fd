"""Component: the tokens of a reply that a server wrote, and what could have stood in the place of the chosen one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.chat.server_reply import ServerReply
from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.remote.reply_token import ReplyToken

_component = register("server_tokens", Path(__file__))
_LABELS = ("tokens", "look", "listed", "unlisted", "unsaid", "rest", "entropy", "merged")


def data(reply: ServerReply, running: bool, turn: int, t: Translator) -> dict[str, Any]:
    """Data of the component.

    tokens  of each: {label, logp, breaks}, and once the reply has ended also {others, rest, at, nats, choices, merged}:
            others  [label, probability] of each alternative, most probable first
            rest    probability of all tokens that the server does not name
            at      place of the token among the alternatives; -1 if it is not among them
            nats    lower bound of the entropy, as a text; choices: the same as a number of choices
    """
    from engine.remote.reply_text import labels

    shown = []
    for at, (token, label) in enumerate(zip(reply.tokens, labels(reply.tokens), strict=True)):
        breaks = (token.data or token.text.encode("utf-8", "replace")).endswith(b"\n")
        entry: dict[str, Any] = {"label": label, "logp": token.log_probability, "breaks": breaks}
        shown.append(entry if running else entry | _alternatives(reply.tokens, at, t))
    labels_of_view = {name: t(f"chat.server_label.{name}") for name in _LABELS}
    return {"turn": turn, "tokens": shown, "running": running, "labels": labels_of_view}


def _alternatives(tokens: list[ReplyToken], at: int, t: Translator) -> dict[str, Any]:
    from engine.remote.reply_text import alternative_labels

    token = tokens[at]
    values = [math.exp(value) for value in token.alternatives.log_probabilities.tolist()]
    return {
        "others": list(zip(alternative_labels(tokens, at), values, strict=True)),
        "rest": token.unseen,
        "at": -1 if token.listed is None else token.listed,
        "nats": t.number(token.entropy, 2),
        "choices": t.number(math.exp(token.entropy)),
        "merged": token.is_merged,
    }


def draw(component_data: dict[str, Any], key: str = "server_tokens") -> None:
    """The component. What is looked at stays in the browser: nothing of it changes the conversation."""
    _component(key=key, data=component_data)
