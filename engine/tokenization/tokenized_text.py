"""A text as several tokenizers cut it: the tokens, what of the text each holds, how many a character costs.

Beside a model's own tokenizer stand three that need no model: the bundled one, one of characters, one of bytes. It
counts; merges are replayed in `merges.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import regex
from tokenizers import Tokenizer

from engine.bundled import BUNDLED
from engine.errors import PromptError
from engine.tokenization.unicode import characters
from engine.tokenization.vocabulary import Vocabulary

Script = Literal["han", "latin"]
SCRIPTS: tuple[Script, ...] = ("han", "latin")
_LETTERS = {"han": regex.compile(r"\p{Han}"), "latin": regex.compile(r"\p{Latin}")}
_FOLDERS = {"bundled": BUNDLED} | {name: BUNDLED / "tokenizers" / name for name in ("characters", "bytes")}


class Part(NamedTuple):
    """Bytes `first` to `last` (from 1) of the `size` bytes of a character; `char` is None for a stray byte."""

    char: str | None
    first: int
    last: int
    size: int


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """A text in tokens; one entry a token in each.

    token_ids  with the mark that the tokenizer puts before any text
    spans      the characters [start, stop) of the text that it came of; (0, 0) for a mark
    parts      what its bytes are; none for a special token
    """

    text: str
    token_ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    parts: tuple[tuple[Part, ...], ...]

    def per_character(self, script: Script) -> tuple[int, float]:
        """(how many characters of a script there are, how many tokens they cost together).

        A token of several characters costs each of them the same share of it: the Han characters of 天氣好 in the
        tokens 天氣 and 好 cost two.
        """
        letters = [bool(_LETTERS[script].match(char)) for char in self.text]
        cost = sum(sum(letters[start:stop]) / (stop - start) for start, stop in self.spans if stop > start)
        return sum(letters), cost


def tokenize(vocabulary: Vocabulary, text: str) -> TokenizedText:
    """Cut a text. Raises PromptError(`surrogate`) for half a character, which no encoding can write."""
    try:
        ids = vocabulary.encode(text)
    except UnicodeEncodeError as error:
        raise PromptError("surrogate", f"half a character at {error.start}", position=error.start) from error
    return TokenizedText(text, ids, tuple(vocabulary.spans(text)), tuple(_parts(vocabulary, ids)))


def _parts(vocabulary: Vocabulary, ids: tuple[int, ...]) -> list[tuple[Part, ...]]:
    held = [vocabulary.token_bytes(i) for i in ids]
    spans = characters(b"".join(held))
    found: list[tuple[Part, ...]] = []
    at, first = 0, 0
    for token_id, data in zip(ids, held, strict=True):
        stop = at + len(data)
        while first < len(spans) and spans[first].stop <= at:
            first += 1
        last = first
        parts: list[Part] = []
        while last < len(spans) and spans[last].start < stop:
            start, end, char = spans[last]
            parts.append(Part(char, max(at, start) - start + 1, min(stop, end) - start, end - start))
            last += 1
        found.append(() if token_id in vocabulary.special else tuple(parts))
        at = stop
    return found


@cache
def standalone_tokenizer(name: str) -> Vocabulary:
    """A tokenizer that needs no model: `bundled`, `characters` (rare ones fall back to bytes), `bytes`."""
    tokenizer = Tokenizer.from_file(str(_FOLDERS[name] / "tokenizer.json"))
    return Vocabulary(tokenizer, tokenizer.get_vocab_size())
