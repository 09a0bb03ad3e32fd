"""Terms of the field that the lessons explain, read from `terms.LANGUAGE.toml`, and where a text uses them.

In the texts of a lesson a term is written `[term]`; where it is explained, in bold: `**term**`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pages.course import catalog
from pages.i18n.translator import DERIVED, WRITTEN, Translator

_FOLDER = Path(__file__).parent
MARKED = re.compile(r"\*\*([^*]+)\*\*|\[([^\]]+)\]")  # in a text: bold, or a term


@dataclass(frozen=True, slots=True)
class Term:
    """A term in one language.

    key    name of the term in both files
    name   the term; `forms` are other spellings of it in texts
    twin   the term in English, or of an English term in Chinese
    means  what it is, in a sentence or two
    where  lesson and step in which it is explained, such as `beam.2`
    """

    key: str
    name: str
    forms: tuple[str, ...]
    twin: str
    means: str
    where: str

    @property
    def lesson(self) -> str:
        """Name of the lesson in which it is explained."""
        return self.where.partition(".")[0]

    @property
    def stage(self) -> int:
        """Step of that lesson, from 0."""
        return int(self.where.partition(".")[2]) - 1


@cache
def terms(language: str) -> dict[str, Term]:
    """All terms of a language, by key, in the order of the file, which is that of the lessons."""
    other = next(each for each in WRITTEN if each not in (language, DERIVED.get(language)))
    tables = {each: tomllib.loads((_FOLDER / f"terms.{each}.toml").read_text("utf-8")) for each in (language, other)}
    return {
        key: Term(
            key, entry["name"], tuple(entry.get("forms", ())), tables[other][key]["name"], entry["means"],
            entry["where"],
        )
        for key, entry in tables[language].items()
    }  # fmt: skip


@cache
def _spellings(language: str) -> dict[str, str]:
    """Keys of the terms by everything that a text may call them, in lower case."""
    return {name.lower(): key for key, term in terms(language).items() for name in (term.name, *term.forms)}


def find(text: str, language: str) -> Term | None:
    """The term that a marked part of a text names; None where it is only bold."""
    key = _spellings(language).get(text.lower())
    return terms(language)[key] if key else None


def entry(term: Term, t: Translator) -> dict[str, Any]:
    """Data of a term for `terms.js`."""
    lesson = catalog.lesson(t.language, term.lesson)
    return {
        "key": term.key,
        "name": term.name,
        "twin": term.twin,
        "means": term.means,
        "met": t("course.sheet.met", title=lesson.title if lesson else ""),
    }


def used(texts: Iterable[str], t: Translator) -> dict[str, dict[str, Any]]:
    """Data of the terms in the texts of a lesson, by how they are written there."""
    marked = {bold or name for text in texts for bold, name in MARKED.findall(text)}
    found = {name: find(name, t.language) for name in sorted(marked)}
    return {name: entry(term, t) for name, term in found.items() if term}
