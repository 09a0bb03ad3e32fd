"""Consequences of the tokenization in sentences: cost, context length in characters, and invisible letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.i18n.translator import Translator
from pages.tokens.token_details import counts

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.tokenized_text import TokenizedText


def sentences(model: Model, tokenized: TokenizedText, opened: int | None, t: Translator) -> list[str]:
    """Two or three sentences about this text.

    The last one is about the token at index `opened` if it has several characters, else about the token with the most;
    there is none where every token has at most one.
    """
    count = counts(tokenized)
    tokens, characters = count["tokens"], count["characters"]
    lines = [t("cut.why.cost", tokens=f"{tokens:,}", bytes=f"{count['bytes']:,}", characters=f"{characters:,}")]
    fits = round(model.context_length * characters / tokens) if tokens else 0
    lines.append(t("cut.why.context", most=f"{model.context_length:,}", fits=f"{fits:,}"))
    at = opened if opened is not None and len(tokenized.parts[opened]) > 1 else _longest_token(tokenized)
    if at is None:
        return lines
    label = model.pieces(tokenized.token_ids)[at]
    letters = sum(part.char is not None for part in tokenized.parts[at])
    return [*lines, t("cut.why.letters", token=label, id=f"#{tokenized.token_ids[at]}", count=letters)]


def _longest_token(tokenized: TokenizedText) -> int | None:
    """Index of the token with the most characters; None where no token has more than one."""
    at = max(range(len(tokenized.parts)), key=lambda i: len(tokenized.parts[i]), default=None)
    return at if at is not None and len(tokenized.parts[at]) > 1 else None
