"""Text for SVG: safe characters, estimated widths, and lines of differently marked parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

# Not allowed in XML, or with an effect on the text around them: directional overrides and isolates.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_CLOSING = frozenset("，。、；：？！」』）》〉】…,.;:?!)]}”’")  # no line begins with these
_DIRECTIONAL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ELLIPSIS = "…"


class Part(NamedTuple):
    """A piece of text with the name of its style."""

    text: str
    style: str


class Lines(NamedTuple):
    """Lines of parts, and the font size in which they fit."""

    size: float
    lines: list[list[Part]]


def safe(text: str) -> str:
    """The text in one line, without characters that XML forbids or that reorder what stands around them.

    >>> safe("a\\n\\x00\\u202eb")
    'a↵\ufffdb'
    """
    one_line = text.replace("\r\n", "\n").replace("\n", "↵").replace("\t", " ")
    return _DIRECTIONAL.sub("", _UNSAFE.sub("\ufffd", one_line))


def width(text: str) -> float:
    """Estimated width in em of a proportional font, rather too large than too small."""
    return sum(map(_character_width, text))


def _character_width(char: str) -> float:
    if char == " ":
        return 0.32
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF" or ord(char) >= 0x1F000 or char == "\ufffd":
        return 1.25 if ord(char) >= 0x1F000 else 1.0
    if ord(char) > 0x24F:
        return 0.9
    return 0.9 if char in "mwMW@%" else 0.68 if char.isupper() else 0.58


def shortened(text: str, most: float) -> str:
    """The text in at most `most` em, with an ellipsis where it is longer."""
    if width(text) <= most:
        return text
    kept = ""
    for char in text:
        if width(kept + char + ELLIPSIS) > most:
            break
        kept += char
    return kept + ELLIPSIS


def fitted(parts: Sequence[Part], across: float, sizes: Sequence[tuple[float, int]]) -> Lines:
    """Lines in the first of `sizes` (font size, number of lines) that has room; else the end of the text in the last.

    `across`: width of a line in pixels.
    """
    lines: list[list[Part]] = []
    for size, most in sizes:
        lines = _wrapped(parts, across / size)
        if len(lines) <= most:
            return Lines(size, lines)
    size, most = sizes[-1]
    lines = lines[-most:]
    room = across / size - width(ELLIPSIS)
    first = lines[0]
    while first and sum(width(part.text) for part in first) > room:
        first = [Part(first[0].text[1:], first[0].style), *first[1:]] if len(first[0].text) > 1 else first[1:]
    return Lines(size, [[Part(ELLIPSIS, "cut"), *first], *lines[1:]])


def _wrapped(parts: Sequence[Part], most: float) -> list[list[Part]]:
    """Lines of at most `most` em, broken after a space or beside a wide character, else within a word."""
    lines: list[list[Part]] = [[]]
    used = 0.0
    for unit in _units(parts):
        size = sum(width(part.text) for part in unit)
        if used and used + size > most:
            lines.append([])
            used = 0.0
        for part in unit:
            for char in part.text:
                if used and used + _character_width(char) > most:
                    lines.append([])
                    used = 0.0
                _append(lines[-1], char, part.style)
                used += _character_width(char)
    return lines


def _append(line: list[Part], char: str, style: str) -> None:
    if line and line[-1].style == style:
        line[-1] = Part(line[-1].text + char, style)
    else:
        line.append(Part(char, style))


def _units(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts of the text within which no line is broken: a word with the space after it, or one wide character."""
    units: list[list[Part]] = []
    before = " "
    for part in parts:
        for char in part.text:
            joined = _character_width(char) == 0.0 or before == "\u200d" or char in _CLOSING
            if units and (joined or not (before == " " or _is_wide(char) or _is_wide(before))):
                _append(units[-1], char, part.style)
            else:
                units.append([Part(char, part.style)])
            before = char
    return units


def _is_wide(char: str) -> bool:
    return _character_width(char) >= 0.9 and not char.isascii()
