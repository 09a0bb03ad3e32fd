"""Simplified Chinese texts, derived from the Traditional ones: `python -m pages.i18n.simplified` writes the files.

OpenCC converts characters and words from the usage of Taiwan to that of mainland China (its configuration `tw2sp`);
`simplified.toml` lists where it is wrong for this field, and which prompts and tokens stay as the model knows them.
Needs the package opencc (`requirements-dev.txt`), which the app itself does not.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import opencc

PAGES = Path(__file__).parent.parent
SOURCE, TARGET = "zh_Hant", "zh_Hans"
_QUOTES = dict(zip(map(ord, "「」『』"), "“”‘’", strict=True))
_TABLE = re.compile(r"\[+([a-z_.-]+)\]+(?:\s*#.*)?$")
_KEY = re.compile(r"([a-z_0-9-]+) = ")


@cache
def settings() -> dict[str, Any]:
    """Content of `simplified.toml`."""
    return tomllib.loads(Path(__file__).with_name("simplified.toml").read_text("utf-8"))


def sources() -> list[Path]:
    """Files of the Traditional texts: named after their language, or in a folder that is."""
    return sorted(path for path in PAGES.rglob("*.toml") if SOURCE in str(path.relative_to(PAGES)))


def target(source: Path) -> Path:
    """Path of the Simplified file that is derived from a Traditional one."""
    return PAGES / str(source.relative_to(PAGES)).replace(SOURCE, TARGET)


def derived() -> dict[Path, str]:
    """Content of every Simplified file by its path."""
    return {target(path): _file(path) for path in sources()}


def sentence(text: str) -> str:
    """A sentence in Simplified Chinese, with the quotation marks of the mainland."""
    return _convert(text, _fixed(("words", "quoted")), _QUOTES)


def prompt(text: str) -> str:
    """A prompt in Simplified Chinese: quotation marks, which may be part of a format, stay as they are."""
    return _convert(text, _fixed(("words",)), {})


@cache
def _converter() -> Any:
    return opencc.OpenCC("tw2sp")


@cache
def _fixed(names: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """What OpenCC is not asked for, as a pattern, longest first, and what stands for it."""
    fixed: dict[str, str] = dict(settings()["words"])
    if "quoted" in names:
        fixed |= {text: text.translate(_QUOTES) for text in settings()["quoted"]}
    return re.compile("|".join(map(re.escape, sorted(fixed, key=len, reverse=True)))), fixed


def _convert(text: str, fixed: tuple[re.Pattern[str], dict[str, str]], signs: dict[int, str]) -> str:
    pattern, replacements = fixed
    begin, parts = 0, []
    for found in [*pattern.finditer(text), None]:
        rest = text[begin : found.start() if found else len(text)]
        parts.append(_converter().convert(rest).translate(signs))
        if found:
            parts.append(replacements[found[0]])
            begin = found.end()
    return "".join(parts)


def _file(path: Path) -> str:
    """A Traditional file in Simplified Chinese, line by line, so that the two can be compared."""
    converted = [f"# Generated from {path.name} by `make words`. Do not edit: see simplified.toml in pages/i18n."]
    convert: Callable[[str], str] = sentence
    table, in_text = "", False
    for line in path.read_text("utf-8").splitlines():
        if not in_text and (found := _TABLE.match(line)):
            table, convert = found[1], sentence
        elif not in_text and (found := _KEY.match(line)):
            convert = _conversion(f"{table}.{found[1]}".lstrip("."))
        in_text ^= line.count('"""') % 2 == 1
        converted.append(convert(line))
    return "\n".join(converted) + "\n"


def _conversion(key: str) -> Callable[[str], str]:
    """How the value of a key is converted, given by `kept` and `prompts`."""
    names = (key, key.rpartition(".")[0] + ".*")
    if any(name in settings()["kept"] for name in names):
        return str
    return prompt if any(name in settings()["prompts"] for name in names) else sentence


def main() -> None:
    """Write the files, and remove those whose Traditional file is gone."""
    files = derived()
    for path in PAGES.rglob("*.toml"):
        if TARGET in str(path.relative_to(PAGES)) and path not in files:
            path.unlink()
    for path, content in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, "utf-8")


if __name__ == "__main__":
    main()
