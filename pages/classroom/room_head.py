"""Component: the head of a teacher's room, with its code, QR code and address, its members, and what ends it.

The component (`room_head.js`) reports `remove` ({member}), `joinable` ({joinable}), `words` ({text}), `close` ({}),
`hand` ({text}: prompts, one a line), `take_back` ({link}), and `changed` when the room has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from engine.classroom.records import Member, Room
from pages.classroom.wording import name_of
from pages.components.register import event_callback, register
from pages.i18n.translator import Translator
from pages.shell import address, local_network
from pages.shell.share.panel import qr_code

_component = register("classroom_head", Path(__file__), "room_updates", "two_distributions", "hand_outs")
EVENTS = ("remove", "joinable", "words", "close", "hand", "take_back")
LABELS = (
    "code", "large", "small", "nobody", "remove", "remove_sure", "answered", "lock", "unlock", "locked", "more",
    "words", "words_note", "save", "secret", "secret_note", "copy", "copied", "close", "really",
)  # fmt: skip

HAND_OUT_LABELS = ("note", "box", "send", "take_back")


def join_link(code: str) -> str:
    """Link by which members join, with the address under which they reach this server."""
    return f"{local_network.reachable(address.page_address())}?{urlencode({'room': code})}"


def data(
    room: Room,
    secret: str,
    version: int,
    members: Sequence[Member],
    answered: Collection[int],
    lobby: bool,
    t: Translator,
) -> dict[str, Any]:
    """Data of the component. `answered`: numbers of the members who have; `lobby`: nothing has been asked yet."""
    link = join_link(room.code)
    where = urlsplit(link)
    reach = local_network.reach(address.page_address())
    scanned = reach.notice in ("", "open")  # no code that leads a phone to itself
    code = "code" if scanned else "code_only"
    return {
        "room": {"channel": room.channel, "part": "all", "version": version},
        "keep": {"role": "teacher", "code": room.code, "key": secret},
        "code": room.code,
        "link": link,
        "address": where.netloc + where.path,
        "qr": qr_code(link) if scanned else None,
        "notice": t(f"share.local.{reach.notice}", host=reach.opened_as) if reach.notice else "",
        "how": [t("share.local.how"), t("share.local.command")] if reach.notice == "closed" else [],
        "members": [[member.number, name_of(member, t), member.number in answered] for member in members],
        "count": t("classroom.head.count", n=len(members)),
        "joinable": room.joinable,
        "words": ", ".join(room.words),
        "secret": f"{link}&{urlencode({'teach': secret})}",
        "lobby": lobby,
        "handed": [list(entry) for entry in room.handed],
        "handed_count": t("classroom.hand.count", n=len(room.handed)),
        "labels": {name: t(f"classroom.head.{name}") for name in LABELS}
        | {"code": t(f"classroom.head.{code}")}
        | {f"hand_{name}": t(f"classroom.hand.{name}") for name in HAND_OUT_LABELS},
    }


def draw(values: dict[str, Any], actions: dict[str, Callable[[dict[str, Any]], None]]) -> None:
    """The component with the functions that handle its events."""
    handlers = {f"on_{name}_change": event_callback("room_head", name, actions[name]) for name in EVENTS}
    _component(key="room_head", data=values, on_changed_change=lambda: None, **handlers)
