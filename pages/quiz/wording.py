"""Display text of numbers in the quiz."""

from __future__ import annotations

from pages.i18n.translator import Translator


def format_bits(value: float, t: Translator, digits: int = 1) -> str:
    """A number of bits, or a perplexity."""
    return t.number(value, digits)


def format_chance(p: float, t: Translator) -> str:
    """A probability, and below 10% also as 1 in so many: 0.61% (1 in 160); it says that itself below 0.01%."""
    if not 0.0001 <= p < 0.095:
        return t.percent(p)
    return t("quiz.chance", p=t.percent(p), n=f"{float(f'{1 / p:.2g}'):,.0f}")
