"""URL parameters besides the text: validated reading and compact writing. No Streamlit here.

All values are untrusted. An invalid one counts as absent, so that the page shows its default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import unquote

T = TypeVar("T", bound=str)
_MAX_PAIRS = 200
_MAX_CHARACTERS = 40  # of integers joined by points
_SPACE = re.compile(r"\s+")
_TRAILING = re.compile(r"[^A-Za-z0-9_-]+$")
_INTEGER = re.compile(r"\d{1,10}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,6}(\.\d{1,6})?", re.ASCII)


class QueryParams:
    """Parameters of one URL, by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: cleaned(value) for name, value in values.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """The value as it is; "" if absent."""
        return self._values.get(name, "")

    def whole(self, name: str, low: int, high: int, otherwise: int) -> int:
        """A non-negative integer from `low` to `high`, else `otherwise`."""
        integers = _split_integers(self.text(name))
        return integers[0] if len(integers) == 1 and low <= integers[0] <= high else otherwise

    def number(self, name: str, low: float, high: float, otherwise: float) -> float:
        """A decimal number from `low` to `high`, else `otherwise`."""
        text = self.text(name)
        number = float(text) if _NUMBER.fullmatch(text) else None
        return number if number is not None and low <= number <= high else otherwise

    def one_of(self, name: str, known: tuple[T, ...], otherwise: T) -> T:
        """One of the `known` values, else `otherwise`."""
        return next((value for value in known if value == self.text(name)), otherwise)

    def pair(self, name: str) -> tuple[int, int] | None:
        """First of `pairs`, None if there is none.

        >>> QueryParams({"head": "3.5"}).pair("head")
        (3, 5)
        """
        return next(iter(self.pairs(name)), None)

    def pairs(self, name: str) -> list[tuple[int, int]]:
        """Pairs of non-negative integers; parts that are not pairs are left out.

        >>> QueryParams({"open": "3.5-4.1-x"}).pairs("open")
        [(3, 5), (4, 1)]
        """
        parts = [_split_integers(part) for part in self.text(name).split("-", _MAX_PAIRS)[:_MAX_PAIRS]]
        return [(part[0], part[1]) for part in parts if len(part) == 2]


def cleaned(value: str) -> str:
    """A value without what chats and mail programs add to links: percent signs, wrapped lines, a mark behind.

    Every value of ours consists of ASCII letters, digits, `_`, `-` and `.`, and ends in one of the first four.

    >>> cleaned("05-beam.2。"), cleaned("05-\\n beam.2)"), cleaned("3%2E5")
    ('05-beam.2', '05-beam.2', '3.5')
    """
    for _ in range(2):  # encoded twice, or once more
        if "%" in value:
            value = unquote(value)
    return _TRAILING.sub("", _SPACE.sub("", value))


def _split_integers(text: str) -> list[int]:
    """Integers joined by points: `3.5` is [3, 5]; [] for any other text."""
    parts = text.split(".") if len(text) <= _MAX_CHARACTERS else [""]
    return [int(part) for part in parts] if all(_INTEGER.fullmatch(part) for part in parts) else []


def changed(values: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, str]:
    """The values that differ from their defaults, formatted for a URL."""
    return {name: format_value(value) for name, value in values.items() if value != defaults[name]}


def format_value(value: object) -> str:
    """A value as a URL parameter.

    >>> format_value(True), format_value(0.8), format_value(1.0), format_value("never")
    ('1', '0.8', '1', 'never')
    """
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
