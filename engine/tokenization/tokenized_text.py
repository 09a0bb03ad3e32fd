"""Tokenized text: its tokens, the characters and bytes that each one covers, and the tokens per character.

Three tokenizers can be used without a model: that of the bundled model, one of characters and one of bytes. BPE
merges are in `bpe.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import regex
from tokenizers import Tokenizer

from engine.bundled import BUNDLED
from engine.errors import surrogate_error
from engine.tokenization.unicode import characters
from engine.tokenization.vocabulary import Vocabulary

Script = Literal["han", "latin"]
SCRIPTS: tuple[Script, ...] = ("han", "latin")
_SCRIPT_PATTERNS = {"han": regex.compile(r"\p{Han}"), "latin": regex.compile(r"\p{Latin}")}
_TOKENIZER_FOLDERS = {"bundled": BUNDLED} | {name: BUNDLED / "tokenizers" / name for name in ("characters", "bytes")}


class Part(NamedTuple):
    """Part of a character: its bytes `first` to `last` (from 1) of `size`; `char` is None for a stray byte."""

    char: str | None
    first: int
    last: int
    size: int


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """Text with its tokens; each tuple has one entry per token.

    token_ids  including the start tokens that the tokenizer puts before any text
    spans      characters [start, stop) of the text that the token covers; (0, 0) for a start token
    parts      characters, or parts of them, that the token's bytes encode; empty for a special token
    """

    text: str
    token_ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    parts: tuple[tuple[Part, ...], ...]

    def per_character(self, script: Script) -> tuple[int, float]:
        """Number of characters of a script in the text, and number of tokens for all of them together.

        A token of several characters is divided among them equally: the three Han characters of 天氣好, with the tokens
        天氣 and 好, take two tokens.
        """
        in_script = [bool(_SCRIPT_PATTERNS[script].match(char)) for char in self.text]
        tokens = sum(sum(in_script[start:stop]) / (stop - start) for start, stop in self.spans if stop > start)
        return sum(in_script), tokens


def tokenize(vocabulary: Vocabulary, text: str) -> TokenizedText:
    """Tokens of a text. Raises PromptError(`surrogate`) for a lone surrogate, which UTF-8 cannot encode."""
    try:
        ids = vocabulary.encode(text)
    except UnicodeEncodeError as error:
        raise surrogate_error(error) from error
    return TokenizedText(text, ids, tuple(vocabulary.spans(text)), tuple(_parts(vocabulary, ids)))


def _parts(vocabulary: Vocabulary, ids: tuple[int, ...]) -> list[tuple[Part, ...]]:
    """Parts of each token, see `TokenizedText.parts`."""
    token_bytes = [vocabulary.token_bytes(i) for i in ids]
    spans = characters(b"".join(token_bytes))
    token_parts: list[tuple[Part, ...]] = []
    start, first = 0, 0
    for token_id, data in zip(ids, token_bytes, strict=True):
        stop = start + len(data)
        while first < len(spans) and spans[first].stop <= start:
            first += 1
        last = first
        parts: list[Part] = []
        while last < len(spans) and spans[last].start < stop:
            begin, end, char = spans[last]
            parts.append(Part(char, max(start, begin) - begin + 1, min(stop, end) - begin, end - begin))
            last += 1
        token_parts.append(() if token_id in vocabulary.special else tuple(parts))
        start = stop
    return token_parts


@cache
def standalone_tokenizer(name: str) -> Vocabulary:
    """Tokenizer without a model: `bundled`, `characters` (with byte fallback for rare ones) or `bytes`."""
    tokenizer = Tokenizer.from_file(str(_TOKENIZER_FOLDERS[name] / "tokenizer.json"))
    return Vocabulary(tokenizer, tokenizer.get_vocab_size())
