"""Notes on prompts that are encoded without an error but may not be read as the visitor expects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.model.model import Model

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]")
_JOINED_EMOJI = re.compile(r"\S\u200d\S")


def prompt_notes(model: Model, text: str, ids: tuple[int, ...]) -> list[str]:
    """Locale keys of all notes that apply to a prompt and its token ids.

    note.control        control characters
    note.right_to_left  right-to-left scripts or directional formatting characters
    note.joined         emoji joined by U+200D
    note.special        the name of a special token, which is encoded as ordinary text
    note.template       special tokens among the ids, which the text does not show: those of a chat template
    note.changed        the decoded ids differ from the text
    """
    special_names = [model.vocabulary.token_bytes(i).decode("utf-8", "replace") for i in model.vocabulary.special]
    own = ids[len(model.vocabulary.start) :]
    from_template = any(i in model.vocabulary.special for i in own)
    checks: dict[str, Callable[[], Any]] = {
        "note.control": lambda: _CONTROLS.search(text),
        "note.right_to_left": lambda: _RIGHT_TO_LEFT.search(text),
        "note.joined": lambda: _JOINED_EMOJI.search(text),
        "note.special": lambda: not from_template and any(name in text for name in special_names),
        "note.template": lambda: from_template,
        "note.changed": lambda: not from_template and model.text(ids) != text,
    }
    return [key for key, applies in checks.items() if applies()]
