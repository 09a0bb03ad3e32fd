"""Translations: every sentence on the screen, from the pages' `words.LANGUAGE.toml`, and how numbers are written.

A text may hold `{name}` to be filled in. Values from people or models never go through here into Markdown: they are
drawn by components that set them as plain text.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh_Hant", "en")
PAGES = Path(__file__).parent.parent
_PERCENT = "\xa0%"


def word_files(language: str) -> list[Path]:
    """The files of a language: one for each page, and this package's for what pages share."""
    return sorted(PAGES.rglob(f"words.{language}.toml"))


@cache
def sentences(language: str) -> dict[str, Any]:
    """All texts of a language by dotted key, each a string or a list of strings."""
    flat: dict[str, Any] = {}

    def flatten(prefix: str, table: dict[str, Any]) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                flatten(f"{prefix}{key}.", value)
            else:
                flat[prefix + key] = value

    for path in word_files(language):
        flatten("", tomllib.loads(path.read_text("utf-8")))
    return flat


@cache
def shipped() -> frozenset[str]:
    """Every text of the app itself, in all languages: what a demo allows as a prompt."""
    texts: set[str] = set()
    for language in LANGUAGES:
        for value in sentences(language).values():
            texts.update([value] if isinstance(value, str) else value)
    return frozenset(texts)


def plain(text: str) -> str:
    """A text from a person or a model that is to stand in a sentence: nothing in it is Markdown or a link."""
    unlinked = re.sub(r"(://|www|@)", "\\1\u2060", " ".join(text.split()), flags=re.IGNORECASE)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", unlinked)


class Translator:
    """`t("step.next")` in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._sentences = sentences(language)

    def __call__(self, key: str, **values: object) -> str:
        text: str = self._sentences[key]
        return text.format(**values) if values else text

    def list(self, key: str) -> list[str]:
        """Several texts that belong together."""
        texts: list[str] = self._sentences[key]
        return texts

    def percent(self, p: float) -> str:
        """A probability as a person says it: 34 %, 2.1 %, 0.03 %, then 1 in 40,000.

        The sign never stands alone on the next line: the space before it does not break.

        >>> [Translator("en").percent(p).replace("\\xa0", "_") for p in (1, 0.342, 0.021, 0.00031, 0.000025, 0)]
        ['100_%', '34_%', '2.1_%', '0.031_%', '1 in 40,000', '0_%']
        """
        if p <= 0:
            return f"0{_PERCENT}"
        if p < 1e-15:
            return self("number.less")
        if p < 0.0001:
            return self("number.one_in", n=self._large(float(f"{1 / p:.2g}")))
        if 0.995 <= p < 1:
            return f"{min(p, 0.9999) * 100:.2f}{_PERCENT}"
        value = p * 100
        return f"{value:.0f}{_PERCENT}" if value >= 9.95 else f"{value:.2g}{_PERCENT}"

    def _large(self, n: float) -> str:
        """A large round number: 40,000, or in Chinese by ten thousands: 4 萬."""
        for size, name in zip((1e12, 1e8, 1e4), self.list("number.units"), strict=False):
            if n >= size:
                return f"{n / size:,.10g} {name}"
        return f"{n:,.0f}"

    def number(self, value: float, digits: int = 1) -> str:
        """A number with a real minus sign."""
        return f"{value:,.{digits}f}".replace("-", "−")
