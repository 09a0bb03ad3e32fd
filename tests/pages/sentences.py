"""Reading of computed sentences: which one it is, and the values that stand in it."""

from __future__ import annotations

import re

from pages.i18n import translator


def values_in(sentence: str, key: str, language: str = "en") -> dict[str, str] | None:
    """Values by name in a sentence with this key, numbers all; None if it is another sentence."""
    template = translator.sentences(language)[key]
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\S+?)", re.escape(template))
    match = re.fullmatch(pattern, sentence)
    return match.groupdict() if match else None


def which(sentence: str, prefix: str, names: tuple[str, ...], language: str = "en") -> tuple[str, dict[str, str]]:
    """The one of the keys `prefix`.`name` that a sentence has, and its values."""
    found = [
        (name, values) for name in names if (values := values_in(sentence, f"{prefix}.{name}", language)) is not None
    ]
    assert len(found) == 1, (sentence, found)
    return found[0]


def number(text: str) -> float:
    """Value of a displayed number."""
    return float(text.replace(",", "").replace("−", "-").replace("∞", "inf"))


_MALFORMED = re.compile(
    r"\bnan\b|\binf\b|\bNone\b|[{}]|[-−]0(\.0*)?(?![\d.])|(?<![\d.,])1\s+(tokens|characters|bytes|steps|places|probabilities)\b|“”|「」"
)


def assert_well_formed(sentence: str) -> None:
    """A sentence that says something, without numbers that are none, unfilled blanks and plurals of one."""
    plain = sentence.replace("*", "")
    assert plain.strip() and not _MALFORMED.search(plain), sentence
