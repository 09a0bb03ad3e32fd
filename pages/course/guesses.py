"""Guesses of a lesson's step: reading of what was typed, the true value, and the sentence with both."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from engine.errors import EngineError
from pages.course import placeholders
from pages.course.learner import Learner
from pages.course.lesson import Guess
from pages.course.outcomes import OUTCOMES
from pages.course.placeholders import NO_VALUE
from pages.i18n.translator import Translator

MAX_CHARACTERS = 40
_LARGEST = 1e12  # numbers above it are no guess
_NUMBER = re.compile(r"\d[\d.,]*")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_DECIMAL = re.compile(r"\d+([.,]\d+)?")
_WORDS = ("token", "choice")  # kinds whose values are quoted


def clean(text: str) -> str:
    """What was typed, on one line, without what cannot be displayed."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:MAX_CHARACTERS].strip()


def read(text: str, guess: Guess) -> float | str | None:
    """Value of what was typed: a number, for a percentage from 0 to 1; a token; an outcome. None if it is none.

    A number may be full-width, stand among words, and have a comma as its decimal point.

    >>> percent = Guess("", "percent", "best_p")
    >>> [read(text, percent) for text in ("30", "30 %", "３０％", "2,5", "2。5", "about 7", "120", "3 or 4", "-1", "")]
    [0.3, 0.3, 0.3, 0.025, 0.025, 0.07, None, None, None, None]
    >>> [read(text, Guess("", "count", "kept")) for text in ("1,234", "12", "no. 5", "1.5", "many")]
    [1234.0, 12.0, 5.0, None, None]
    """
    if guess.kind == "choice":
        return text if text in dict(guess.options) else None
    if guess.kind == "token":
        return clean(text) or None
    number = _read_number(text, grouped=guess.kind != "percent")
    if number is None or number > _LARGEST:
        return None
    if guess.kind == "percent":
        return number / 100 if number <= 100 else None
    return None if guess.kind == "count" and number != int(number) else number


def _read_number(text: str, grouped: bool) -> float | None:
    """The one number in a text, not negative; `grouped`: a comma before three digits separates thousands."""
    plain = unicodedata.normalize("NFKC", text.replace("。", "."))[: 2 * MAX_CHARACTERS]
    found = list(_NUMBER.finditer(plain))
    if len(found) != 1 or re.search(r"[-−–]\s*$", plain[: found[0].start()]):
        return None
    digits = found[0][0].rstrip(".,")
    if not digits.isascii():
        return None
    if grouped and _THOUSANDS.fullmatch(digits):
        return float(digits.replace(",", ""))
    return float(digits.replace(",", ".")) if _DECIMAL.fullmatch(digits) else None


def true_value(guess: Guess, learner: Learner, t: Translator) -> str:
    """What came out, as it is displayed, for a choice as the name of the outcome; NO_VALUE where nothing has yet."""
    if guess.kind != "choice":
        return placeholders.value(guess.value, learner, t)
    try:
        return OUTCOMES[guess.value][1](learner) or NO_VALUE
    except EngineError:
        return NO_VALUE


def _shown(value: float | str, guess: Guess, t: Translator) -> str:
    """A guess in the form of the true value."""
    if isinstance(value, str):
        return dict(guess.options).get(value, value)
    return t.percent(value) if guess.kind == "percent" else f"{value:,.10g}"


def field(guess: Guess, text: str, t: Translator) -> dict[str, Any]:
    """Data of the field in `notes.js`: `text` as it was typed, and how it was read."""
    value = read(text, guess)
    note = ""
    if text and guess.kind != "choice":
        hint = t(f"course.guess.{guess.kind}")
        note = hint if value is None else t("course.guess.noted", guess=_shown(value, guess, t))
    return {
        "ask": guess.ask,
        "kind": guess.kind,
        "options": [list(option) for option in guess.options],
        "text": text,
        "made": value is not None,
        "note": note,
    }


def comparison(guess: Guess, text: str, truths: Mapping[str, str], t: Translator) -> dict[str, Any] | None:
    """Sentence with the guess and the true value (`truths`: by language), and both values; None without either."""
    value, truth = read(text, guess), truths.get(t.language)
    if value is None or truth is None:
        return None
    shown = {"guess": _shown(value, guess, t), "truth": dict(guess.options).get(truth, truth)}
    key = "right" if _plain(shown["guess"]) == _plain(shown["truth"]) else "other"
    quoted = "_words" if guess.kind in _WORDS else ""
    return {"sentence": t(f"course.guess.{key}{quoted}"), "values": shown}


def _plain(text: str) -> str:
    """A word without the marks of its spaces and its capitals, for a comparison."""
    return unicodedata.normalize("NFKC", text.replace("␣", " ")).strip().casefold()
