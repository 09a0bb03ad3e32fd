"""Names of tokens that nobody can mistake for each other: a mark on those that would look like another token.

Different tokens can have one text (`at` and `##at` in WordPiece, `!` and its byte in SentencePiece), or texts that look
the same (a composed letter and its parts, a word with a zero-width character). Independent of tokenizers.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import regex

from engine.tokenization.unicode import is_plain

_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")


def look(name: str) -> str:
    """What can be seen of a name: without characters that draw nothing, canonically composed.

    >>> look("a\\u200d") == look("a"), look("e\\u0301") == look("é")
    (True, True)
    """
    if name.isascii() or (is_plain(name.replace("␣", "")) and unicodedata.is_normalized("NFC", name)):
        return name
    return unicodedata.normalize("NFC", _IGNORABLE.sub("", name))


def explicit(name: str) -> str:
    """A name with the code points of what draws nothing, of combining marks and of doubles, such as U+F967 of 不.

    >>> explicit("a\\u200d"), explicit("e\\u0301"), explicit("\\uf967")
    ('a‹200D›', 'e‹0301›', '不‹F967›')
    """
    return "".join(map(_explicit_character, name))


def _explicit_character(char: str) -> str:
    code, composed = f"‹{ord(char):04X}›", unicodedata.normalize("NFC", char)
    if composed != char:
        return composed + code
    return code if unicodedata.category(char) in ("Mn", "Me") or _IGNORABLE.match(char) else char


def distinct_names(names: Sequence[str], marked: Callable[[int], Iterable[str]]) -> dict[int, str]:
    """Other names for the indices whose name looks like that of another; the plainest of those keeps it.

    marked(index): names with a mark, the best one first; one that looks like a name in use is passed over. The last
    resort is the index, `at #12`.
    """
    alike: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        alike[look(name)].append(index)
    others: dict[int, str] = {}
    used = set(alike)
    for seen, indices in alike.items():
        if len(indices) == 1:
            continue
        # The plainest: without a mark of its own, then exactly what is seen.
        keeper = min(indices, key=lambda index: (next(iter(marked(index)), None) is not None, names[index] != seen))
        for index in indices:
            if index != keeper:
                choices = [*marked(index), explicit(names[index]), f"{names[index]} #{index}", f"‹#{index}› {seen}"]
                others[index] = next(name for name in choices if look(name) not in used)
                used.add(look(others[index]))
    return others
