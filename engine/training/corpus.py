"""Folders of text files → documents, with the validation split taken before anything else.

A *source* is one `.txt`, `.txt.xz` or `.grammar` file (a grammar is expanded, see `grammar.py`).
A *document* is what stands between two blank lines. Whether a document is held out is decided by a hash
of its own text, so the split never depends on order, on other documents or on a random seed:

    >>> is_held_out("今天天氣真好。", 50) == is_held_out("今天天氣真好。", 50)
    True

Not done here: cleaning, deduplication beyond exact copies of a whole document, language detection.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.training.errors import TrainingError
from engine.training.grammar import Grammar

SUFFIXES = (".txt", ".txt.xz", ".grammar")
GRAMMAR_DOCUMENTS = 12_000  # how many documents one grammar file is expanded to, unless told otherwise


@dataclass(frozen=True)
class Source:
    """One text file and the short name it is known by (`everyday-zh` for `everyday-zh.txt.xz`)."""

    name: str
    path: Path

    @property
    def is_grammar(self) -> bool:
        return self.path.suffix == ".grammar"


def find_sources(folder: Path, prefix: str = "") -> list[Source]:
    """Every text file under `folder`, named with `prefix`; README files are documentation, not text to learn from."""
    if not folder.is_dir():
        raise TrainingError(f"{folder} is not a folder of text files.")
    found: dict[str, Source] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or not path.name.endswith(SUFFIXES) or path.name.lower().startswith("readme"):
            continue
        suffix = next(s for s in sorted(SUFFIXES, key=len, reverse=True) if path.name.endswith(s))
        name = prefix + path.name[: -len(suffix)] + ("-grammar" if suffix == ".grammar" else "")
        if name in found:
            raise TrainingError(f"{found[name].path} and {path} would both be the source {name!r}: rename one.")
        found[name] = Source(name, path)
    if not found:
        raise TrainingError(f"{folder} holds no text: expected files ending in {', '.join(SUFFIXES)}.")
    return list(found.values())


def find_all(folders: Iterable[tuple[Path, str]]) -> list[Source]:
    """The sources of several folders, each with the prefix of its names."""
    found: dict[str, Source] = {}
    for folder, prefix in folders:
        for source in find_sources(folder, prefix):
            if source.name in found:
                raise TrainingError(f"{found[source.name].path} and {source.path} have one name: rename one.")
            found[source.name] = source
    return list(found.values())


def read_text(path: Path) -> str:
    """The whole file as text; strict UTF-8, newlines made `\\n`."""
    try:
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    except (lzma.LZMAError, EOFError) as error:
        raise TrainingError(f"{path} is not a readable .xz file ({error}).") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path} is not UTF-8 (byte {error.start}): convert it first.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split_documents(text: str) -> Iterator[str]:
    """Documents between blank lines, without the blank lines.

    >>> list(split_documents("a\\nb\\n\\n\\nc\\n"))
    ['a\\nb', 'c']
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if line.strip():
            lines.append(line.rstrip())
        elif lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def documents(source: Source, grammar_documents: int = GRAMMAR_DOCUMENTS) -> list[str]:
    """All documents of a source, in file order; an exact copy of an earlier document is dropped."""
    text = read_text(source.path)
    if source.is_grammar:
        found = Grammar.parse(text, str(source.path)).draw_many(grammar_documents, seed=0)
    else:
        found = list(split_documents(text))
    unique = list(dict.fromkeys(found))
    if not unique:
        raise TrainingError(f"{source.path} holds no text.")
    return unique


def is_held_out(document: str, per_thousand: int) -> bool:
    """Whether a document belongs to the validation split: `per_thousand` in a thousand do."""
    digest = hashlib.sha256(document.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") % 1000 < per_thousand


def split(found: list[str], per_thousand: int) -> tuple[list[str], list[str]]:
    """(training documents, validation documents)."""
    train: list[str] = []
    held_out: list[str] = []
    for document in found:
        (held_out if is_held_out(document, per_thousand) else train).append(document)
    return train, held_out
