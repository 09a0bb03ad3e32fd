"""Present names of lesson steps that had another name once, in links and in the progress that browsers saved.

Read from `lessons/moved.toml`.
"""

from __future__ import annotations

import tomllib
from functools import cache

from pages.course.lesson import FOLDER


@cache
def _moved() -> dict[str, dict[str, str]]:
    """Present names of former steps: by former lesson and number, such as `beam.2` for `05-beam` and `2`."""
    table: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "moved.toml").read_text("utf-8"))
    return table


def present_stage(name: str, stage: int) -> tuple[str, int]:
    """Name of a lesson and one of its stages, from names in use now or formerly; a former last step if out of range."""
    if name not in _moved():
        return name, stage
    steps = _moved()[name]
    lesson, _, number = steps[str(min(stage + 1, len(steps)))].partition(".")
    return lesson, int(number) - 1
