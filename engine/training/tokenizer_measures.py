"""Measures of a tokenizer: characters a token, and which characters and English words are single tokens.

The characters are those of two standards: Big5 level 1, the 5,401 commonest characters of Taiwan, and GB2312 level 1,
the 3,755 commonest ones of mainland China. The English words are the most frequent ones of a text, of two letters or
more, after a space.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tokenizers import Tokenizer

from engine.training.mixture import is_english

WORDS = 1000


def level_1(encoding: str, first: int, last: int) -> list[str]:
    """Characters of a two-byte encoding from code `first` to `last`, those that exist.

    >>> len(level_1("big5", 0xA440, 0xC67E)), len(level_1("gb2312", 0xB0A1, 0xD7F9))
    (5401, 3755)
    """
    characters = []
    for code in range(first, last + 1):
        try:
            character = code.to_bytes(2, "big").decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(character) == 1:
            characters.append(character)
    return characters


TRADITIONAL = level_1("big5", 0xA440, 0xC67E)
SIMPLIFIED = level_1("gb2312", 0xB0A1, 0xD7F9)


def single_tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> int:
    """Number of texts that are one token each."""
    return sum(len(e.ids) == 1 for e in tokenizer.encode_batch(list(texts), add_special_tokens=False))


def frequent_words(texts: Iterable[str], count: int = WORDS) -> list[str]:
    """The most frequent English words, in lower case, most frequent first."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(re.findall(r"(?<= )[a-z]{2,}\b(?!')", text))
    return sorted(counts, key=lambda word: (-counts[word], word))[:count]


def characters_a_token(tokenizer: Tokenizer, texts: Sequence[str]) -> float:
    """Characters a token of the texts, each encoded by itself."""
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    return sum(map(len, texts)) / max(1, sum(len(e.ids) for e in encodings))


def report(tokenizer: Tokenizer, held_out: Mapping[str, Sequence[str]], words: Sequence[str]) -> None:
    """Print the measures: characters a token by source and language, coverage of characters and words.

    held_out  validation documents by source; English sources end in `-en`
    """
    print(f"{'held out':24} {'characters':>12} {'characters a token':>19}")
    groups: dict[str, list[str]] = {name: list(texts) for name, texts in sorted(held_out.items()) if texts}
    english = [text for name, texts in groups.items() if is_english(name) for text in texts]
    others = [text for name, texts in groups.items() if not is_english(name) for text in texts]
    for name, texts in (groups | {"all English": english, "all others": others}).items():
        if texts:
            print(f"{name:24} {sum(map(len, texts)):12,} {characters_a_token(tokenizer, texts):19.2f}")
    counts = {
        "characters of Big5 level 1": TRADITIONAL,
        "characters of GB2312 level 1": SIMPLIFIED,
        "frequent English words": [f" {word}" for word in words],
    }
    for name, texts in counts.items():
        print(f"single tokens: {single_tokens(tokenizer, texts):,} of {len(texts):,} {name}", flush=True)
