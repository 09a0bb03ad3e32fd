"""UTF-8 bytes, characters and graphemes, with display strings for byte sequences that may be split anywhere.

White space and control characters become visible symbols. Part of a character is written with its range of bytes
(`氣 1–2/3`), and bytes that belong to no complete character in hexadecimal (`‹E6 B0›`). Independent of tokens.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import regex
from tokenizers.pre_tokenizers import ByteLevel

_SYMBOLS = {" ": "␣", "\n": "↵", "\t": "⇥", "\u007f": "␡"}
# What draws nothing: controls, other spaces, unassigned code points; fillers and joiners of any category (Unicode
# Standard Annex 44, Default_Ignorable_Code_Point); U+2800, a blank Braille pattern.
_CLUSTER = regex.compile(r"\X")  # grapheme cluster
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")  # letters that draw nothing
_INVISIBLE = regex.compile(r"[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\ufffd]")


class Span(NamedTuple):
    """Character of a byte string, bytes [start, stop); or a stray byte, with `char` None."""

    start: int
    stop: int
    char: str | None


def characters(data: bytes) -> list[Span]:
    """UTF-8 characters of `data`; each byte that belongs to no complete character is a span of its own.

    >>> characters("a氣".encode()[:3])
    [Span(start=0, stop=1, char='a'), Span(start=1, stop=2, char=None), Span(start=2, stop=3, char=None)]
    """
    spans: list[Span] = []
    start = 0
    while start < len(data):
        first = data[start]
        width = 1 if first < 0x80 else 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4
        try:
            char = data[start : start + width].decode("utf-8")
        except UnicodeDecodeError:
            spans.append(Span(start, start + 1, None))
            start += 1
            continue
        spans.append(Span(start, start + width, char))
        start += width
    return spans


def is_plain(text: str) -> bool:
    """Whether a text is of letters and digits alone that are seen as they are: what most tokens are.

    >>> is_plain("好"), is_plain("a1"), is_plain("!"), is_plain("\\u3164")
    (True, True, False, False)
    """
    return text.isalnum() and _FILLERS.isdisjoint(text)


@lru_cache(maxsize=65536)
def visible(cluster: str) -> str:
    """Visible form of a grapheme cluster: symbols for white space and control characters, otherwise unchanged.

    >>> visible(" "), visible("\\n"), visible("\\u200d"), visible("好")
    ('␣', '↵', '‹200D›', '好')
    """
    first = cluster[0]
    if len(cluster) > 1 and not _INVISIBLE.match(first):
        return "◌" + cluster if unicodedata.combining(first) else cluster
    return "".join(_visible_character(char) for char in cluster)


def _visible_character(char: str) -> str:
    if char in _SYMBOLS:
        return _SYMBOLS[char]
    if ord(char) < 0x20:
        return chr(0x2400 + ord(char))  # Unicode block Control Pictures
    if _INVISIBLE.match(char):
        return f"‹{ord(char):04X}›"
    return "◌" + char if unicodedata.category(char) in ("Mn", "Me") else char


def readable(text: str) -> str:
    """Text with every grapheme cluster in its visible form."""
    return "".join(visible(cluster) for cluster in _CLUSTER.findall(text))


def incomplete(data: bytes) -> int:
    """Number of bytes at the end of `data` that begin an incomplete character: 0 to 3."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC2:  # leading byte
            width = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < width and byte < 0xF5 else 0
        if byte < 0x80:
            return 0
    return 0


def describe(data: bytes, spans: Sequence[Span], start: int, stop: int) -> str:
    """Display string of the bytes [start, stop): complete characters, parts of characters, stray bytes.

    spans: the characters of `data` that overlap with these bytes.

    >>> data = "a氣".encode()
    >>> describe(data, characters(data), 0, 3)
    'a·氣 1–2/3'
    """
    if start == stop:
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
        if start <= span.start and span.stop <= stop:
            whole += span.char
            continue
        first, last = max(start, span.start) - span.start + 1, min(stop, span.stop) - span.start
        part = f"{first}" if first == last else f"{first}–{last}"
        parts += [*_flush(whole, ""), f"{visible(span.char)} {part}/{span.stop - span.start}"]
        whole = ""
    parts += _flush(whole, stray)
    return "·".join(parts)


def _flush(whole: str, stray: str) -> list[str]:
    """Display strings of a run of stray bytes and of a run of complete characters; none for an empty run."""
    return ([f"‹{stray.strip()}›"] if stray else []) + ([readable(whole)] if whole else [])


def grapheme_edges(data: bytes) -> set[int]:
    """Byte offsets at which a grapheme cluster ends (Unicode TR29); each stray byte counts as one."""
    edges: set[int] = set()
    offset = 0
    text = ""
    for span in [*characters(data), None]:
        if span is None or span.char is None:
            for cluster in _CLUSTER.findall(text):
                offset += len(cluster.encode())
                edges.add(offset)
            text = ""
            if span is not None:
                offset += 1
                edges.add(offset)
        else:
            text += span.char
    return edges


@lru_cache(maxsize=1)
def byte_of_character() -> dict[str, int]:
    """Byte for each character of byte-level BPE, which writes every byte as one printable character.

    Table of GPT-2 (Radford et al. 2019): printable Latin-1 characters represent their own byte, U+0100 and following
    the other bytes in order.
    """
    same = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    other = [byte for byte in range(256) if byte not in same]
    table = {chr(byte): byte for byte in same} | {chr(0x100 + i): byte for i, byte in enumerate(other)}
    assert set(table) == set(ByteLevel.alphabet())
    return table


def simplified_characters(text: str) -> list[str]:
    """Chinese characters of a text that only Simplified Chinese has, each once, in order; none where it is Japanese.

    Those that GB 2312 has and Big5 lacks, the character sets of either script: 这 and 说, but not 里, which Traditional
    Chinese writes too. 着 is left out: Big5 lacks it, but Hong Kong writes it.
    """
    if regex.search(r"[\p{Hiragana}\p{Katakana}]", text):
        return []
    han = [char for char in dict.fromkeys(text) if regex.fullmatch(r"\p{Unified_Ideograph}", char) and char != "着"]
    return [char for char in han if _encodable(char, "gb2312") and not _encodable(char, "big5")]


def _encodable(char: str, character_set: str) -> bool:
    try:
        char.encode(character_set)
    except UnicodeEncodeError:
        return False
    return True
