"""Consequences of the tokenization in sentences: cost, context length in characters, and invisible letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.i18n.translator import Translator
from pages.tokens.token_details import counts

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.tokenized_text import Part, TokenizedText


def sentences(model: Model, tokenized: TokenizedText, opened: int | None, t: Translator) -> list[str]:
    """One to three sentences about this text.

    The second one needs a token to count by. The last one is about the token at index `opened` if it has several whole
    characters, else about the token with the most; there is none where every token has at most one.
    """
    count = counts(tokenized)
    tokens, characters = count["tokens"], count["characters"]
    lines = [t("cut.why.cost", tokens=f"{tokens:,}", bytes=f"{count['bytes']:,}", characters=f"{characters:,}")]
    if tokens:
        fits = round(model.context_length * characters / tokens)
        lines.append(t("cut.why.context", most=f"{model.context_length:,}", fits=f"{fits:,}"))
    whole = [_whole_characters(parts) for parts in tokenized.parts]
    if max(whole, default=0) < 2:
        return lines
    at = opened if opened is not None and whole[opened] > 1 else whole.index(max(whole))
    label = model.pieces(tokenized.token_ids)[at]
    return [*lines, t("cut.why.letters", token=label, id=f"#{tokenized.token_ids[at]}", count=whole[at])]


def _whole_characters(parts: tuple[Part, ...]) -> int:
    """Number of characters of which a token has all bytes."""
    return sum(part.char is not None and (part.first, part.last) == (1, part.size) for part in parts)
