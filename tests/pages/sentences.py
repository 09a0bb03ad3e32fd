"""Reading of computed sentences: which one it is, and the values that stand in it."""

from __future__ import annotations

import re

from pages.i18n import translator


def values_in(sentence: str, key: str, language: str = "en", value: str = r"\S+?") -> dict[str, str] | None:
    """Values by name in a sentence with this key, each matching `value`; None if it is another sentence."""
    *parts, last = re.split(r"\{(\w+)\}", translator.sentences(language)[key])
    pattern, known = "", set[str]()
    for text, name in zip(parts[::2], parts[1::2], strict=True):
        pattern += re.escape(text) + (f"(?P={name})" if name in known else f"(?P<{name}>{value})")
        known.add(name)
    match = re.fullmatch(pattern + re.escape(last), sentence)
    return match.groupdict() if match else None


def which(
    sentence: str, prefix: str, names: tuple[str, ...], language: str = "en", value: str = r"\S+?"
) -> tuple[str, dict[str, str]]:
    """The one of the keys `prefix`.`name` that a sentence has, and its values; `value` as in `values_in`."""
    every = [(name, values_in(sentence, f"{prefix}.{name}", language, value)) for name in names]
    found = [(name, values) for name, values in every if values is not None]
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
