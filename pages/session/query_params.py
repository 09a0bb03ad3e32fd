"""URL parameters besides the text: validated reading and compact writing. No Streamlit here.

All values are untrusted. An invalid one counts as absent, so that the page shows its default; its name is then in
`unread`, so that the visitor can be told. The text has a checksum of its own (`engine.trace.link_codec`); the other
parameters share the parameter `check`, which old links and links written by hand do not have.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from typing import TypeVar
from urllib.parse import unquote

from engine.errors import TraceError
from engine.trace.byte_packing import has_checksum
from engine.trace.link_codec import decode_text

T = TypeVar("T", bound=str)
N = TypeVar("N")
CHECK = "check"
PROMPT_LIST = "prompts"  # by `encode_text`, with a checksum of its own
OWN_LESSON, DRAFT = "own", "draft"  # lessons that a visitor wrote, by `encode_text` too
# Parameters without a checksum of their own. Others, such as `utm_source`, were added by others.
CHECKED = frozenset((
    "lesson", "bars", "tokens", "run", "width", "levels", "penalty", "early", "repetition", "ngram", "shown", "node",
    "open", "mass", "prompt", "most", "seeds", "first", "beam", "temperature", "top_k", "top_p", "min_p", "typical_p",
    "asked", "view", "head", "row", "cell", "tried", "mattered", "typed", "merged", "read", "moment", "task", "talk",
    "side", "box", "room", "teach",
))  # fmt: skip
_MAX_PAIRS = 200
_MAX_CHARACTERS = 40  # of integers joined by points
_WRAPPED = re.compile(r"[\s\x00-\x1f=>]+")  # a wrapped line, also one of a quoted mail or in quoted-printable
_SOFT_BREAK = re.compile(r"=\r?\n")
_SEPARATOR = re.compile(r"[&?#]")
_FULL_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}
_TRAILING = re.compile(r"[^A-Za-z0-9_-]+$")
_INTEGER = re.compile(r"\d{1,10}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,6}(\.\d{1,6})?", re.ASCII)


class QueryParams:
    """Parameters of one URL, by name.

    unread  names of the parameters that are there, but could not be read
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values: dict[str, str] = {}
        self.unread: set[str] = set()
        for name, value in values.items():
            for part_name, part in _parameters(name, value):
                self._values.setdefault(part_name, part)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """The value as it is; "" if absent."""
        return self._values.get(name, "")

    @property
    def intact(self) -> bool:
        """Whether the parameters are those that were written; True where nothing tells."""
        return CHECK not in self or self.text(CHECK) == checksum(self._values)

    @property
    def lost_text(self) -> bool:
        """Whether there was a text, of which `t` is missing: its name was changed, or it was too long for a link."""
        known = CHECKED | {CHECK, PROMPT_LIST, OWN_LESSON, DRAFT}
        return "t" not in self and any(
            name == "text" or (name not in known and has_checksum(value)) for name, value in self._values.items()
        )

    def without_checked(self) -> QueryParams:
        """The parameters that have a checksum of their own, and the language."""
        return QueryParams({name: value for name, value in self._values.items() if name not in CHECKED})

    def decoded(self, name: str) -> str | None:
        """A text by `encode_text`, without a continuation; None if it is absent or cannot be read."""
        try:
            return decode_text(self.text(name))[0] if name in self else None
        except TraceError:
            self.unread.add(name)
            return None

    def whole(self, name: str, low: int, high: int, otherwise: int) -> int:
        """A non-negative integer from `low` to `high`, else `otherwise`."""
        integers = _split_integers(self.text(name))
        return self._read(name, integers[0] if len(integers) == 1 and low <= integers[0] <= high else None, otherwise)

    def number(self, name: str, low: float, high: float, otherwise: float) -> float:
        """A decimal number from `low` to `high`, else `otherwise`."""
        text = self.text(name)
        number = float(text) if _NUMBER.fullmatch(text) else None
        return self._read(name, number if number is not None and low <= number <= high else None, otherwise)

    def one_of(self, name: str, known: tuple[T, ...], otherwise: T) -> T:
        """One of the `known` values, in any case of letters, else `otherwise`."""
        text = self.text(name).lower()
        return self._read(name, next((value for value in known if value.lower() == text), None), otherwise)

    def _read(self, name: str, value: N | None, otherwise: N) -> N:
        """`value`, or `otherwise` for None; the parameter is then unread, if it is there."""
        if value is None and name in self:
            self.unread.add(name)
        return otherwise if value is None else value

    def pair(self, name: str) -> tuple[int, int] | None:
        """First of `pairs`, None if there is none.

        >>> QueryParams({"head": "3.5"}).pair("head")
        (3, 5)
        """
        return next(iter(self.pairs(name)), None)

    def pairs(self, name: str) -> list[tuple[int, int]]:
        """Pairs of non-negative integers; parts that are not pairs are left out, and the parameter is unread.

        >>> QueryParams({"open": "3.5-4.1-x"}).pairs("open")
        [(3, 5), (4, 1)]
        """
        parts = [_split_integers(part) for part in self.text(name).split("-", _MAX_PAIRS)[:_MAX_PAIRS]]
        if name in self and any(len(part) != 2 for part in parts):
            self.unread.add(name)
        return [(part[0], part[1]) for part in parts if len(part) == 2]


def checksum(values: Mapping[str, str]) -> str:
    """The parameter `check`: 24 bits of the CRC-32 of the parameters CHECKED in hexadecimal; "" for none of them.

    It tells too whether `t` was there.

    >>> checksum({"bars": "25", "utm_source": "mail"}) == checksum({"bars": "25"}) != checksum({"bars": "26"})
    True
    """
    checked = [f"{name}={value}" for name, value in sorted(values.items()) if name in CHECKED]
    text = "&".join(checked + ["t"] * ("t" in values))
    return f"{zlib.crc32(text.encode()) & 0xFFFFFF:06x}" if checked else ""


def _parameters(name: str, value: str) -> Iterator[tuple[str, str]]:
    """(name, value) of a parameter, cleaned; several where a whole query was encoded as if it were one.

    >>> list(_parameters("amp;Lesson", "05-beam.2)")), list(_parameters("t%3DAQ%26bars%3D25", ""))
    ([('lesson', '05-beam.2')], [('t', 'AQ'), ('bars', '25')])
    """
    text = f"{name}={value}" if value else name
    if "=3D" in text:  # quoted-printable, where `=` before a new line continues it
        text = _SOFT_BREAK.sub("", text).replace("=3D", "=")
    text = "".join(text.split())
    for _ in range(2):  # encoded twice, or once more
        if "%" in text:
            text = unquote(text)
    for part in _SEPARATOR.split(text.translate(_FULL_WIDTH)):
        part_name, equals, part_value = part.partition("=")
        part_name = clean_name(part_name)
        if equals or part_name == name:
            yield part_name, _cleaned(part_value)


def clean_name(name: str) -> str:
    """Name of a parameter in lower case, without what was added to it.

    >>> clean_name("amp;Ｓeed "), clean_name("T")
    ('seed', 't')
    """
    clean = _unwrapped(name.translate(_FULL_WIDTH)).lower()
    while clean.startswith("amp;"):  # `&` in HTML
        clean = clean[4:]
    return clean


def _cleaned(value: str) -> str:
    """A value without what chats and mail programs add to links: wrapped lines, a mark behind.

    Every value of ours consists of ASCII letters, digits, `_`, `-` and `.`, and ends in one of the first four.

    >>> _cleaned("05-beam.2。"), _cleaned("05-\\n> beam.2)"), _cleaned("3.5\\u200b")
    ('05-beam.2', '05-beam.2', '3.5')
    """
    return _TRAILING.sub("", _unwrapped(value))


def _unwrapped(text: str) -> str:
    """A text without white space, invisible characters, and what stands at the ends of wrapped lines."""
    text = _WRAPPED.sub("", text)
    return text if text.isascii() else "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc"))


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
