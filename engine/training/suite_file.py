"""Files of prompts and phrases that a model is judged by: their reading, and figures by language and theme."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from engine.training.errors import TrainingError

T = TypeVar("T")


class Entry(Protocol):
    """A prompt or a phrase."""

    @property
    def theme(self) -> str: ...
    @property
    def language(self) -> str: ...


def read(path: Path, table: str, kind: str, make: Callable[[dict[str, Any]], T]) -> list[T]:
    """Entries of the array of tables `table` in a TOML file.

    Raises TrainingError, in which `kind` is what the file should be.
    """
    try:
        return [make(entry) for entry in tomllib.loads(path.read_text("utf-8"))[table]]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} is not {kind} ({type(error).__name__}: {error}).") from error


def print_figures(
    name: str, verdicts: Sequence[T], entry: Callable[[T], Entry], summary: Callable[[Sequence[T]], str]
) -> None:
    """Print the summary of all verdicts, then of those of each language and of each theme."""
    print(f"{name:26} {summary(verdicts)}")
    for language in sorted({entry(v).language for v in verdicts}):
        print(f"  {language:24} {summary([v for v in verdicts if entry(v).language == language])}")
    for theme in sorted({entry(v).theme for v in verdicts}):
        print(f"  {theme:24} {summary([v for v in verdicts if entry(v).theme == theme])}")
