"""What an address says besides the text: small readable values, all of them a stranger's; and what is known of a
visitor's address bar. Knows no screen.

What makes no sense is passed over: the page then shows what it shows without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T", bound=str)
_MOST = 200  # pairs
_LONGEST = 40  # characters of numbers
_WHOLE = re.compile(r"\d{1,10}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,6}(\.\d{1,6})?", re.ASCII)


class QueryParams:
    """The values of an address."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        return self._values.get(name, "")

    def whole(self, name: str, low: int, high: int, otherwise: int) -> int:
        """A whole number in a range, both ends included."""
        found = wholes(self.text(name))
        return found[0] if len(found) == 1 and low <= found[0] <= high else otherwise

    def number(self, name: str, low: float, high: float, otherwise: float) -> float:
        text = self.text(name)
        found = float(text) if _NUMBER.fullmatch(text) else None
        return found if found is not None and low <= found <= high else otherwise

    def one_of(self, name: str, known: tuple[T, ...], otherwise: T) -> T:
        return next((one for one in known if one == self.text(name)), otherwise)

    def pair(self, name: str) -> tuple[int, int] | None:
        """`3.5` is (3, 5)."""
        return next(iter(self.pairs(name)), None)

    def pairs(self, name: str) -> list[tuple[int, int]]:
        """`3.5-4.1` is [(3, 5), (4, 1)]."""
        found = [wholes(part) for part in self.text(name).split("-", _MOST)[:_MOST]]
        return [(one[0], one[1]) for one in found if len(one) == 2]


def wholes(text: str) -> list[int]:
    """`3.5` is [3, 5]; [] for anything else than whole numbers with points between them."""
    parts = text.split(".") if len(text) <= _LONGEST else [""]
    return [int(part) for part in parts] if all(_WHOLE.fullmatch(part) for part in parts) else []


def changed(now: Mapping[str, object], first: Mapping[str, object]) -> dict[str, str]:
    """Those values that are not as they were at first, as an address writes them."""
    return {name: format_value(value) for name, value in now.items() if value != first[name]}


def format_value(value: object) -> str:
    """
    >>> write(True), write(0.8), write(1.0), write("never")
    ('1', '0.8', '1', 'never')
    """
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
