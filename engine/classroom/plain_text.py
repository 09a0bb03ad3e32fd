"""Text from members of a room: normalized, bounded, without invisible characters, and checked against a word list."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

MAX_NAME = 20  # characters
MAX_ANSWER = 60
MAX_WORDS = 100  # entries that a teacher may add
_LOOKALIKE = str.maketrans("01345@$!", "oieasasi")
_WORD = re.compile(r"[a-z]+")


def clean(text: str, most: int) -> str:
    """A text in NFC, in one line, of at most `most` characters, without control, format and unassigned characters.

    Format characters (Cf) include those that reverse the direction of text; they are removed, so that a name cannot
    rewrite what stands beside it. At most two combining marks follow one letter, so that a name stays in its line.

    >>> clean("  e\\u0301\\u202e x\\n\\ty ", 20), clean("a" * 10_000, 3)
    ('é x y', 'aaa')
    """
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[: most * 20]):
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char.isspace():
            kept.append(" ")
        elif category[0] != "C" and marks <= 2:
            kept.append(char)
    return " ".join("".join(kept).split())[:most].rstrip()


@cache
def shipped_words() -> frozenset[str]:
    """The list that every room begins with."""
    lines = Path(__file__).with_name("unwanted_words.txt").read_text("utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def read_words(text: str) -> tuple[str, ...]:
    """A teacher's own list, one word a line or separated by commas."""
    words = dict.fromkeys(_folded(part) for part in re.split(r"[\n,，、;；]+", text[:10_000]))
    return tuple(word for word in words if word)[:MAX_WORDS]


def is_unwanted(text: str, own: Iterable[str] = ()) -> bool:
    """Whether a text contains a word of the shipped list or of the teacher's `own`.

    Latin words are compared as whole words, so that `class` is no insult, and with digits read as letters; words of
    other scripts, which have no spaces, wherever they stand.

    >>> is_unwanted("Sh1t!"), is_unwanted("f u c k"), is_unwanted("Scunthorpe classes"), is_unwanted("x Bob", ["bob"])
    (True, True, False, True)
    """
    folded = _folded(text)
    words = {*_WORD.findall(folded), *_WORD.findall(folded.translate(_LOOKALIKE))}
    joined = "".join(char for char in folded if char.isalnum())
    whole = {*words, joined, joined.translate(_LOOKALIKE)}
    unwanted = {*shipped_words(), *own}
    return any(word in whole if word.isascii() else word in joined for word in unwanted)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
