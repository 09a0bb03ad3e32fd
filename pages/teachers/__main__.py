"""`python -m pages.teachers`: prints the answers to the worksheet, computed from the bundled model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from engine.errors import EngineError
from pages.i18n.translator import LANGUAGES, Translator
from pages.teachers import answers, material


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 if the model cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m pages.teachers", description=__doc__)
    parser.add_argument("--language", choices=LANGUAGES, help="all by default")
    language = parser.parse_args(arguments).language
    try:
        for each in [language] if language else LANGUAGES:
            print("\n".join(lines(each)))
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def lines(language: str) -> list[str]:
    """The answer key of a language as text."""
    t, content = Translator(language), material.read(language)
    values = answers.bundled_values(language)
    text = [t("teachers.key.answer"), ""]
    for number, task in enumerate(content.tasks, 1):
        text += [f"{number}. {task.title}", f"   {material.fill(task.answer, values, t)}"]
    text += ["", t("teachers.sheet.exit"), ""]
    for number, item in enumerate(content.exit_items, 1):
        text += [f"{number}. {material.fill(item.ask, values, t)}", f"   {material.fill(item.answer, values, t)}"]
    return [*text, ""]


if __name__ == "__main__":
    raise SystemExit(main())
