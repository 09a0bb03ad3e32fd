"""Models that the host allows besides the bundled one: names or patterns of the setting `models` (`config.py`).

Patterns are `uer/*`, `/models/*`, `uer/*@refs/pr/*`; `*` is any model.
"""

from __future__ import annotations

import re
import unicodedata
from fnmatch import fnmatchcase
from pathlib import Path

from engine.bundled import BUNDLED_NAME
from engine.model import hub_name
from engine.serving import catalog, config, endpoints

_WILDCARDS = "*?["


def allowed(name: str) -> bool:
    """Whether the configuration allows a model name.

    A pattern without `@` allows every revision of the repositories that it matches; one with `@` is compared with the
    whole name. A match cannot leave the folder with which its pattern begins, neither by `..` nor by a symbolic link.
    """
    if name == BUNDLED_NAME or endpoints.find(name) is not None:
        return True
    if config.current().demo or ".." in Path(name).parts or unicodedata.normalize("NFKC", name) != name:
        return False
    if any(unicodedata.category(character).startswith("C") for character in name):
        return False  # control and format characters, lone surrogates
    if not hub_name.is_local(name) and catalog.offers(name):
        return True
    names = _without_revision(name)
    return any(
        fnmatchcase(candidate, pattern) and _is_inside(name, pattern)
        for pattern in config.current().models
        for candidate in ([name] if "@" in pattern else names)
    )


def named() -> list[str]:
    """Models that the configuration names one by one; none in a demo."""
    return [pattern for pattern in _patterns() if not any(sign in pattern for sign in _WILDCARDS)]


def has_wildcards() -> bool:
    """Whether the configuration allows models that it does not name."""
    return len(named()) < len(_patterns())


def _patterns() -> tuple[str, ...]:
    settings = config.current()
    return () if settings.demo else settings.models


def _without_revision(name: str) -> list[str]:
    """Repository of a model on the hub, and with it the file that is named; a local path as it is."""
    hub = None if hub_name.is_local(name) else hub_name.split(name)
    return [hub.id, f"{hub.id}/{hub.file}".rstrip("/")] if hub else [name]


def _is_inside(name: str, pattern: str) -> bool:
    """Whether the path `name`, with links resolved, is below the folder with which the pattern begins."""
    literal = re.split(r"[*?\[]", pattern)[0]
    if literal in (pattern, ""):
        return True  # an exact name, or a pattern that begins with a wildcard
    folder = Path(literal[: literal.rfind("/") + 1] or ".")
    try:
        return not Path(name).exists() or Path(name).resolve().is_relative_to(folder.resolve())
    except OSError:  # a name too long for a path
        return True
