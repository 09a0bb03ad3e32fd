"""Names of a vocabulary's tokens by themselves, and with marks where two would look alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from tokenizers import AddedToken

from engine.tokenization.token_names import distinct_names
from engine.tokenization.token_notation import TokenNotation
from engine.tokenization.unicode import characters, describe, is_plain, readable


class TokenNames:
    """Names of tokens, computed when the first one is asked for."""

    def __init__(
        self,
        token_bytes: Sequence[bytes],
        added: Mapping[int, AddedToken],
        special: frozenset[int],
        table: Mapping[int, str],
        notation: TokenNotation,
    ) -> None:
        """token_bytes: of each id; added: tokens beside the tokenizer's model; table: tokens as the tokenizer writes
        them."""
        self._bytes, self._added, self._special = token_bytes, added, special
        self._table, self._notation = table, notation

    def special(self, token_id: int) -> str:
        """Name of a special token: `⟨name⟩`, with a mark where another token would look like it."""
        return self.name(token_id, self._special_text(token_id))

    def name(self, token_id: int, text: str) -> str:
        """The name of a token that reads `text`: with a mark where another token would look like it."""
        return self.marked.get(token_id, text) if text == self._plain[token_id] else text

    @cached_property
    def marked(self) -> dict[int, str]:
        """Names of the tokens that would look like another token, see `distinct_names`."""
        return distinct_names(self._plain, self._marks)

    @cached_property
    def _plain(self) -> list[str]:
        """Name of each token by itself, before those that look alike are told apart."""
        return [
            self._special_text(i) if i in self._special else _plain_name(data) for i, data in enumerate(self._bytes)
        ]

    def _special_text(self, token_id: int) -> str:
        name = self._added[token_id].content
        inner = re.sub(r"^[<\[|｜]+|[>\]|｜]+$", "", name)
        return f"⟨{readable(inner or name)}⟩"

    def _marks(self, token_id: int) -> list[str]:
        """Names that tell how a token differs from another of the same text: as its tokenizer writes it."""
        token = self._table.get(token_id, "")
        if token_id in self._special:
            return [f"⟨{readable(self._added[token_id].content)}⟩"]
        if token_id in self._added:
            return []
        if self._notation.is_word_part(token):
            return [f"##{self._plain[token_id]}"]
        if self._notation.is_byte(token):
            return [f"‹{self._bytes[token_id].hex().upper()}›"]
        return []


def _is_word(text: str) -> bool:
    return is_plain(text.replace(" ", ""))


def _plain_name(data: bytes) -> str:
    """Name of a token's bytes by themselves."""
    text = data.decode(errors="ignore")
    if data and (text.isprintable() if data.isascii() else len(text.encode()) == len(data) and _is_word(text)):
        return text.replace(" ", "␣")  # as `describe`, in a fraction of its time
    return describe(data, characters(data), 0, len(data))
