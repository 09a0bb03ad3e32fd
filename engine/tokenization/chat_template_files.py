"""Reading of a model's chat template from its folder: as text, which is not run here.

`chat_template.jinja`, or else `chat_template` in `tokenizer_config.json`: a text, or a list of named ones, of which
`default` is taken.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.tokenization.chat_template import MAX_TEMPLATE_CHARACTERS, ChatTemplate

_SPECIAL_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def read_chat_template(folder: Path) -> ChatTemplate | None:
    """The template in a folder; None where there is none, or no file that can be read."""
    try:
        config_file, template_file = folder / "tokenizer_config.json", folder / "chat_template.jinja"
        config = json.loads(config_file.read_text("utf-8")) if config_file.is_file() else {}
        if template_file.is_file():
            with template_file.open(encoding="utf-8") as file:
                source: Any = file.read(MAX_TEMPLATE_CHARACTERS + 1)
        else:
            source = _default(config.get("chat_template"))
        names = {name: _token_text(config.get(name)) for name in _SPECIAL_NAMES}
    except (OSError, ValueError, AttributeError, KeyError):
        return None
    if not isinstance(source, str) or not source:
        return None
    return ChatTemplate(source, tuple((name, text) for name, text in names.items() if text is not None))


def _default(templates: Any) -> Any:
    """The template used for a plain conversation: the only one, `default`, or the first."""
    if not isinstance(templates, list):
        return templates
    named = {each["name"]: each["template"] for each in templates if isinstance(each, dict) and len(each) == 2}
    return named.get("default", next(iter(named.values()), None))


def _token_text(token: Any) -> str | None:
    """Text of a special token, which files give as it is or as an object."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None
