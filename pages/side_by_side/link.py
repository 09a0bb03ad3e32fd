"""The text and the second model as a URL parameter, and back. No Streamlit here."""

from __future__ import annotations

import json
from typing import NamedTuple

from pages.session import json_parameter


class LinkedText(NamedTuple):
    """What a link holds: the prompt, the pieces appended to it, the name of the second model; "" for none."""

    prompt: str
    written: tuple[str, ...]
    second: str


def encoded(linked: LinkedText) -> str | None:
    """The URL parameter, without the text where it would be too long; None if it is too long even so."""
    values = {"prompt": linked.prompt, "written": linked.written, "second": linked.second}
    return json_parameter.encoded(values, {"second": linked.second})


def decoded(text: str, prompt: str) -> LinkedText | None:
    """What a decoded parameter says, with `prompt` where it holds none; None for what `encoded` does not write."""
    try:
        values = json.loads(text)
        found = values.get("prompt", prompt), values.get("written", []), values.get("second", "")
    except (ValueError, AttributeError, RecursionError):
        return None
    if not (isinstance(found[0], str) and isinstance(found[1], list) and isinstance(found[2], str)):
        return None
    if not all(isinstance(piece, str) for piece in found[1]):
        return None
    return LinkedText(found[0], tuple(found[1]), found[2])
