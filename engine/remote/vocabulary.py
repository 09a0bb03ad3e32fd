"""Vocabulary of a server that tells the bytes of every token and cuts texts itself (llama.cpp)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel
from tokenizers.models import BPE

from engine.errors import EngineError
from engine.tokenization.bpe import BPEMerges
from engine.tokenization.unicode import characters
from engine.tokenization.vocabulary import Vocabulary

_REMEMBERED = 512  # texts
Cut = Callable[[str, bool], tuple[int, ...]]


class ServerVocabulary(Vocabulary):
    """`Vocabulary` from the bytes of all tokens, whose texts are cut by the server.

    special_tokens  names of the special tokens, which write nothing
    cut             token ids of a text; the flag is whether names of special tokens count as these tokens
    start           ids that the server puts before any text
    """

    def __init__(
        self, token_bytes: Sequence[bytes], special_tokens: Mapping[int, str], cut: Cut, start: tuple[int, ...]
    ) -> None:
        self._given = list(token_bytes)
        for token_id, name in special_tokens.items():
            self._given[token_id] = name.encode()
        names = {special_tokens.get(i, f"{_PRIVATE}{i}"): i for i in range(len(token_bytes))}
        tokenizer = Tokenizer(BPE(vocab=names, merges=[]))
        tokenizer.decoder = ByteLevel()
        tokenizer.add_special_tokens([AddedToken(name, special=True) for name in special_tokens.values()])
        super().__init__(tokenizer, len(token_bytes))
        self.start = start
        self._cut = lru_cache(_REMEMBERED)(cut)
        plain = self._cut("a", False)
        self._adds_space = bool(plain) and self._given[plain[0]].startswith(b" ")

    def _token_bytes(self, index: int, token: str | None) -> bytes:
        return self._given[index]

    def encode(self, text: str) -> tuple[int, ...]:
        text.encode("utf-8")
        return self.start + self._cut(text, False)

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [(0, 0)] * len(self.start) + self._spans(text, self._cut(text, False))

    def encode_markup(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        ids = self._cut(text, True)
        return list(ids), self._spans(text, ids)

    def _spans(self, text: str, ids: Sequence[int]) -> list[tuple[int, int]]:
        """Characters of each token, by its bytes; of a text that the server changes, as far as they are there."""
        data = text.encode("utf-8")
        owners = [place for place, span in enumerate(characters(data)) for _ in range(span.start, span.stop)]
        spans, at = [], 0
        for position, token_id in enumerate(ids):
            piece = self._given[token_id]
            if not position and self._adds_space and not data.startswith(b" "):
                piece = piece.removeprefix(b" ")
            stop = min(at + len(piece), len(owners))
            spans.append((owners[at], owners[stop - 1] + 1) if stop > at else (_place(owners, at),) * 2)
            at = stop
        return spans

    @property
    def merges(self) -> BPEMerges:
        """Raises EngineError(`merges_remote`): a server does not tell its merges."""
        raise EngineError("merges_remote", "the merges are on the server")


_PRIVATE = "\ue000"  # begins the strings that stand for tokens here, which nobody reads


def _place(owners: Sequence[int], at: int) -> int:
    return owners[at] if at < len(owners) else (owners[-1] + 1 if owners else 0)
