"""Corpus reading: documents of text files, and the validation split.

A *source* is one `.txt`, `.txt.xz` or `.grammar` file (a grammar is expanded, see `grammar.py`). *Documents* are
separated by blank lines. Whether a document is held out depends on a hash of its text alone, so the split is
independent of the order, of other documents and of any random seed:

    >>> is_held_out("今天天氣真好。", 50) == is_held_out("今天天氣真好。", 50)
    True

Documents are not cleaned, deduplicated beyond exact copies, or filtered by language.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.training import simplified
from engine.training.errors import TrainingError
from engine.training.grammar import Grammar

SUFFIXES = (".txt", ".txt.xz", ".grammar")
GRAMMAR_DOCUMENTS = 12_000  # documents generated from one grammar file by default


@dataclass(frozen=True)
class Source:
    """A text file and its short name (`everyday-zh` for `everyday-zh.txt.xz`)."""

    name: str
    path: Path

    @property
    def is_grammar(self) -> bool:
        return self.path.suffix == ".grammar"


def find_sources(folder: Path, prefix: str = "") -> list[Source]:
    """Sources under `folder`, recursively, with `prefix` before their names; README files are skipped.

    Raises TrainingError for a missing folder, duplicate names, or no sources.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder} is not a folder of text files.")
    sources: dict[str, Source] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or not path.name.endswith(SUFFIXES) or path.name.lower().startswith("readme"):
            continue
        suffix = next(s for s in sorted(SUFFIXES, key=len, reverse=True) if path.name.endswith(s))
        name = prefix + path.name[: -len(suffix)] + ("-grammar" if suffix == ".grammar" else "")
        if name in sources:
            raise TrainingError(f"{sources[name].path} and {path} would both be the source {name!r}: rename one.")
        sources[name] = Source(name, path)
    if not sources:
        raise TrainingError(f"{folder} holds no text: expected files ending in {', '.join(SUFFIXES)}.")
    return list(sources.values())


def find_all(folders: Iterable[tuple[Path, str]]) -> list[Source]:
    """Sources of several (folder, prefix of the names). Raises TrainingError for duplicate names."""
    sources: dict[str, Source] = {}
    for folder, prefix in folders:
        for source in find_sources(folder, prefix):
            if source.name in sources:
                raise TrainingError(f"{sources[source.name].path} and {source.path} have one name: rename one.")
            sources[source.name] = source
    return list(sources.values())


def read_text(path: Path) -> str:
    """Text of a file, strict UTF-8 with or without a byte order mark, newlines normalized to `\\n`.

    Raises TrainingError.
    """
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
    """Documents of a text, separated by blank lines; trailing white space of lines is removed.

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
    """All documents of a source in file order, without exact copies. Raises TrainingError if there are none."""
    text = read_text(source.path)
    if source.is_grammar:
        all_documents = Grammar.parse(text, str(source.path)).draw_many(grammar_documents, seed=0)
    else:
        all_documents = list(split_documents(text))
    unique = list(dict.fromkeys(all_documents))
    if not unique:
        raise TrainingError(f"{source.path} holds no text.")
    return unique


def is_held_out(document: str, per_thousand: int) -> bool:
    """Whether a document belongs to the validation split, with probability `per_thousand` / 1000 over documents."""
    digest = hashlib.sha256(document.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") % 1000 < per_thousand


def split(all_documents: list[str], per_thousand: int) -> tuple[list[str], list[str]]:
    """(training documents, validation documents)."""
    train: list[str] = []
    held_out: list[str] = []
    for document in all_documents:
        (held_out if is_held_out(document, per_thousand) else train).append(document)
    return train, held_out


def read(source: Source, per_thousand: int, simplified_per_thousand: int) -> tuple[list[str], list[str]]:
    """(training documents, validation documents) of a source, a part of both in Simplified Chinese.

    Raises TrainingError if there are none.
    """
    train, held_out = split(documents(source), per_thousand)
    return simplified.convert(train, simplified_per_thousand), simplified.convert(held_out, simplified_per_thousand)
