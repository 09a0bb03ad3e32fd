"""TODO"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.tokenized_text import TokenizedText
from pages.tokens.token_details import counts


def why(model: Model, cut: TokenizedText, opened: int | None, t: Translator) -> list[str]:
    """Why the cutting matters, in sentences about this text: what is paid for, what fits, what cannot be seen."""
    number = counts(cut)
    tokens, characters = number["tokens"], number["characters"]
    lines = [t("cut.why.cost", tokens=f"{tokens:,}", bytes=f"{number['bytes']:,}", characters=f"{characters:,}")]
    fits = round(model.context_length * characters / tokens) if tokens else 0
    lines.append(t("cut.why.context", most=f"{model.context_length:,}", fits=f"{fits:,}"))
    at = opened if opened is not None and len(cut.parts[opened]) > 1 else _longest(cut)
    if at is None:
        return lines
    word = model.pieces(cut.token_ids)[at]
    letters = sum(part.char is not None for part in cut.parts[at])
    return [*lines, t("cut.why.letters", token=word, id=f"#{cut.token_ids[at]}", count=letters)]


def _longest(cut: TokenizedText) -> int | None:
    """The token that holds the most characters, where it holds several."""
    at = max(range(len(cut.parts)), key=lambda i: len(cut.parts[i]), default=None)
    return at if at is not None and len(cut.parts[at]) > 1 else None
