"""Bytes, characters and graphemes: what a person can see of a piece of UTF-8 that may be cut anywhere.

White space and controls become visible marks; part of a character is named as such (`氣 1–2/3`), and bytes that belong
to no whole character are written as bytes (`‹E6 B0›`). It knows nothing of tokens.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import regex
from tokenizers.pre_tokenizers import ByteLevel

_MARKS = {" ": "␣", "\n": "↵", "\t": "⇥", "\u3000": "␣", "\u00a0": "␣", "\u007f": "␡"}
_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"}


class Span(NamedTuple):
    """One character of a byte string: bytes [start, stop); `char` is None where a byte belongs to no whole one."""

    start: int
    stop: int
    char: str | None


def characters(data: bytes) -> list[Span]:
    """The UTF-8 characters of `data`, and each stray byte by itself.

    >>> characters("a氣".encode()[:3])
    [Span(start=0, stop=1, char='a'), Span(start=1, stop=2, char=None), Span(start=2, stop=3, char=None)]
    """
    spans: list[Span] = []
    at = 0
    while at < len(data):
        first = data[at]
        width = 1 if first < 0x80 else 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4
        try:
            char = data[at : at + width].decode("utf-8")
        except UnicodeDecodeError:
            spans.append(Span(at, at + 1, None))
            at += 1
            continue
        spans.append(Span(at, at + width, char))
        at += width
    return spans


@lru_cache(maxsize=65536)
def visible(cluster: str) -> str:
    """A grapheme cluster as it can be seen: marks for white space and controls, itself otherwise.

    >>> visible(" "), visible("\\n"), visible("\\u200d"), visible("好")
    ('␣', '↵', '‹200D›', '好')
    """
    first = cluster[0]
    if len(cluster) > 1 and first != "\ufffd" and unicodedata.category(first) not in _INVISIBLE:
        return "◌" + cluster if unicodedata.combining(first) else cluster
    return "".join(_visible_character(char) for char in cluster)


def _visible_character(char: str) -> str:
    if char in _MARKS:
        return _MARKS[char]
    if ord(char) < 0x20:
        return chr(0x2400 + ord(char))  # Unicode's pictures of control characters
    category = unicodedata.category(char)
    if char == "\ufffd" or category in _INVISIBLE:
        return f"‹{ord(char):04X}›"
    return "◌" + char if category in ("Mn", "Me") else char


def readable(text: str) -> str:
    """Text with every cluster made visible."""
    return "".join(visible(cluster) for cluster in regex.findall(r"\X", text))


def incomplete(data: bytes) -> int:
    """How many bytes at the end begin a character that is not complete: 0 to 3."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC2:  # a first byte
            width = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < width and byte < 0xF5 else 0
        if byte < 0x80:
            return 0
    return 0


def describe(data: bytes, spans: Sequence[Span], at: int, stop: int) -> str:
    """The bytes [at, stop) in words: whole characters, parts of characters, stray bytes."""
    if at == stop:
        return "∅"
    parts: list[str] = []
    whole, stray = "", ""
    for span in spans:
        if span.char is None:
            parts += _flush(whole, "")
            whole, stray = "", f"{stray} {data[span.start]:02X}"
            continue
        parts += _flush("", stray)
        stray = ""
        if at <= span.start and span.stop <= stop:
            whole += span.char
            continue
        first, last = max(at, span.start) - span.start + 1, min(stop, span.stop) - span.start
        part = f"{first}" if first == last else f"{first}–{last}"
        parts += [*_flush(whole, ""), f"{visible(span.char)} {part}/{span.stop - span.start}"]
        whole = ""
    parts += _flush(whole, stray)
    return "·".join(parts)


def _flush(whole: str, stray: str) -> list[str]:
    return ([f"‹{stray.strip()}›"] if stray else []) + ([readable(whole)] if whole else [])


def grapheme_edges(data: bytes) -> set[int]:
    """Byte offsets at which a grapheme ends (Unicode TR29); each stray byte is one by itself."""
    edges: set[int] = set()
    at = 0
    text = ""
    for span in [*characters(data), None]:
        if span is None or span.char is None:
            for cluster in regex.findall(r"\X", text):
                at += len(cluster.encode())
                edges.add(at)
            text = ""
            if span is not None:
                at += 1
                edges.add(at)
        else:
            text += span.char
    return edges


@lru_cache(maxsize=1)
def byte_of_character() -> dict[str, int]:
    """Byte-level BPE writes each byte as one printable character (Radford et al. 2019); this undoes it.

    Printable Latin-1 characters stand for themselves; the other bytes, in order, for U+0100 and following.
    """
    same = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    other = [byte for byte in range(256) if byte not in same]
    table = {chr(byte): byte for byte in same} | {chr(0x100 + i): byte for i, byte in enumerate(other)}
    assert set(table) == set(ByteLevel.alphabet())
    return table
