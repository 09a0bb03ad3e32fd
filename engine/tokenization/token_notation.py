"""Notation of text in the token strings of a tokenizer: byte-level, SentencePiece, WordPiece or plain."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from tokenizers import Tokenizer

from engine.tokenization.unicode import byte_of_character

Kind = Literal["bytes", "pieces", "wordpiece", "text"]


@dataclass(frozen=True)
class TokenNotation:
    """Way in which token strings write text.

    kind    `bytes`: byte-level, a character for each byte (GPT-2); `pieces`: SentencePiece, `▁` for a space;
            `wordpiece`: `##` before a part of a word that is not its first (BERT); `text`: as it is read
    suffix  mark at the end of a word, `</w>` for instance (Sennrich et al. 2016); "" without one
    """

    kind: Kind
    suffix: str = ""

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> TokenNotation:
        """Notation of a tokenizer, by its decoder and pre-tokenizer."""
        config = json.loads(tokenizer.to_str())
        kind = _kind(config)
        return cls(kind, _word_suffix(config) if kind == "text" else "")

    def to_bytes(self, token: str) -> bytes:
        """Bytes of the text that a token string stands for.

        >>> TokenNotation("pieces").to_bytes("▁cat"), TokenNotation("text", "</w>").to_bytes("cat</w>")
        (b' cat', b'cat ')
        """
        if self.kind == "bytes":
            with suppress(KeyError):
                return bytes(map(byte_of_character().__getitem__, token))
        elif self.kind == "wordpiece":
            return token.removeprefix("##").encode()
        elif self.kind == "pieces":
            if match := re.fullmatch(r"<0x([0-9A-Fa-f]{2})>", token):
                return bytes([int(match[1], 16)])
            return token.replace("▁", " ").encode()
        elif self.suffix and token.endswith(self.suffix):
            return (token.removesuffix(self.suffix) + " ").encode()
        return token.encode()

    def is_word_part(self, token: str) -> bool:
        """Whether WordPiece marks the token as a part of a word that is not its first."""
        return self.kind == "wordpiece" and token.startswith("##") and len(token) > 2

    def is_byte(self, token: str) -> bool:
        """Whether SentencePiece writes the token as a byte, such as `<0xE6>`."""
        return self.kind == "pieces" and token.startswith("<0x")


def without_cjk_spaces(decoded: str) -> str:
    """Text without the spaces that WordPiece decoding puts around every Chinese character."""
    wide = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef，。！？、；：「」『』（）]"
    return re.sub(rf"(?<={wide})\s+|\s+(?={wide})", "", decoded)


def _kind(config: dict[str, object]) -> Kind:
    kinds = set(re.findall(r'"type": ?"(\w+)"', json.dumps([config["decoder"], config["pre_tokenizer"]])))
    if "ByteLevel" in kinds:
        return "bytes"
    if "WordPiece" in kinds:
        return "wordpiece"
    return "pieces" if kinds & {"ByteFallback", "Metaspace", "Replace"} else "text"


def _word_suffix(config: dict[str, dict[str, str] | None]) -> str:
    decoder, model = config["decoder"] or {}, config["model"] or {}
    return decoder.get("suffix") or model.get("end_of_word_suffix") or ""
