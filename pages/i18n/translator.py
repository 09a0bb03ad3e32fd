"""Translations: all texts of the app, from the `words.LANGUAGE.toml` files, and the format of numbers.

A text may contain `{name}` placeholders. Their values must be safe as Markdown: texts from visitors and models are
escaped by `plain`, or drawn by components as plain text.
"""

from __future__ import annotations

import math
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh_Hant", "zh_Hans", "en")
DERIVED = {"zh_Hans": "zh_Hant"}  # languages whose texts are made from those of another, see `simplified.py`
WRITTEN = tuple(language for language in LANGUAGES if language not in DERIVED)
PAGES = Path(__file__).parent.parent
_PERCENT = "%"


def word_files(language: str) -> list[Path]:
    """Files of a language: one for each page, and those of the packages that pages share."""
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


def nearest(tag: str) -> str:
    """The app's language for a browser's language tag: English for every language but Chinese.

    Simplified Chinese where the tag names that script, or else mainland China, Singapore or Malaysia.

    >>> [nearest(tag) for tag in ("zh-CN", "zh-Hans-HK", "zh-Hant-CN", "zh-TW", "zh", "de")]
    ['zh_Hans', 'zh_Hans', 'zh_Hant', 'zh_Hant', 'zh_Hant', 'en']
    """
    language, *subtags = tag.strip().lower().replace("_", "-").split("-")
    if language != "zh":
        return "en"
    simplified = "hant" not in subtags and not {"hans", "cn", "sg", "my"}.isdisjoint(subtags)
    return "zh_Hans" if simplified else "zh_Hant"


@cache
def shipped() -> frozenset[str]:
    """Every text of the app in all languages; demo mode allows these as prompts."""
    texts: set[str] = set()
    for language in LANGUAGES:
        for value in sentences(language).values():
            texts.update([value] if isinstance(value, str) else value)
    return frozenset(texts)


def plain(text: str) -> str:
    """A text from a visitor or a model, escaped for a sentence: no Markdown, no automatic links."""
    unlinked = re.sub(r"(://|www|@)", "\\1\u2060", " ".join(text.split()), flags=re.IGNORECASE)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", unlinked)


class Translator:
    """Texts of one language: `t("step.next")`, with placeholders `t("step.run", n=7)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._sentences = sentences(language)

    def __call__(self, key: str, **values: object) -> str:
        text: str = self._sentences[key]
        return text.format(**values) if values else text

    def list(self, key: str) -> list[str]:
        """Value of a key that is a list of texts."""
        texts: list[str] = self._sentences[key]
        return texts

    def percent(self, p: float) -> str:
        """A probability with two significant digits: 34%, 2.1%, 0.031%; below 0.01% as 1 in 40,000.

        From 99.5% on with two decimals; 100% and 0% are exactly 1 and 0. All spaces are no-break spaces.

        >>> [Translator("en").percent(p).replace("\\xa0", "_") for p in (1, 0.342, 0.021, 0.00031, 0.000025, 0)]
        ['100%', '34%', '2.1%', '0.031%', '1_in_40,000', '0%']
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

    def percent_of_log(self, log_p: float) -> str:
        """The probability of a log-probability in nats; one too small for a float is not 0.

        >>> [Translator("en").percent_of_log(value).replace("\\xa0", "_") for value in (-1.0, -800.0, -math.inf)]
        ['37%', 'under 1_in_10¹⁵', '0%']
        """
        return self.percent(math.exp(log_p if math.isinf(log_p) else max(log_p, -700.0)))

    def _large(self, n: float) -> str:
        """A large round number: 40,000, in Chinese with units from a hundred million on: 4 億."""
        for size, name in zip((1e12, 1e8), self.list("number.units"), strict=False):
            if n >= size:
                return f"{n / size:,.10g}\xa0{name}"
        return f"{n:,.0f}"

    def number(self, value: float, digits: int = 1) -> str:
        """A number with `digits` decimals, thousands separators and a minus sign (U+2212); ∞ for infinity."""
        text = "-∞" if value == -math.inf else "∞" if value == math.inf else f"{value:z,.{digits}f}"  # z: never −0
        return text.replace("-", "−")
