"""Tasks that the author of a lesson can choose, by page: the conditions of `tasks.py` with one number at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Offered:
    """A task that is offered on a page.

    key      end of the key of its words, `own_lesson.task.KEY`
    name     name of the condition
    value    its value; None where the author chooses a number
    low, high, usual  range of that number, and the one proposed; whole numbers unless `low` is a float
    unit     divisor of the number, such as 100 for per cent
    setting  name of the setting that has the number as its limit, "" for a condition on the number itself
    """

    key: str
    name: str
    value: Any = None
    low: float = 1
    high: float = 1
    usual: float = 1
    unit: int = 1
    setting: str = ""

    def condition(self, number: float) -> tuple[str, Any]:
        """The condition with a number that the author chose."""
        if self.value is not None:
            return self.name, self.value
        value = number / self.unit if self.unit > 1 else number
        return self.name, {self.setting: value} if self.setting else value

    def number(self, value: Any) -> float | None:
        """The number in a condition's value; None where this task does not have such a value."""
        if self.value is not None:
            return self.usual if type(value) is type(self.value) and value == self.value else None
        if self.setting:
            value = value.get(self.setting) if isinstance(value, dict) and len(value) == 1 else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        number = round(value * self.unit, 6) if self.unit > 1 else value
        whole = isinstance(self.low, int)
        if not self.low <= number <= self.high or (whole and number != int(number)):
            return None
        return int(number) if whole else float(number)


def _count(name: str, high: int, usual: int = 1, low: int = 1) -> Offered:
    return Offered(name, name, None, low, high, usual)


def _done(name: str) -> Offered:
    return Offered(name, name, True)


OFFERED: dict[str, tuple[Offered, ...]] = {
    "step": (
        _count("written", 50, 3), Offered("hand", "hand", None, 1, 50, 5, unit=100), _count("back", 10),
        _count("branches", 5, 2, low=2), _count("seeds", 5, 3, low=2),
        Offered("at_most", "at_most", None, 0.0, 2.0, 0.5, setting="temperature"),
        Offered("at_least", "at_least", None, 0.0, 2.0, 1.5, setting="temperature"),
        _done("own_prompt"), _done("search"), _done("least"),
    ),
    "beam": (_count("beam_levels", 12, 3), _done("beam_over"), _done("beam_opened"), _count("beam_widths", 4, 2)),
    "compare": (_count("compared", 8, 8),),
    "transformer": (_done("last_layer"),),
    "attention": (_count("head", 5, 2), _done("row"), _done("lens"), _done("mattered")),
    "tokens": (_done("cut_text"), _done("cut_opened"), _done("merged_all"), _count("cut_count", 20, 5)),
    "training": (_done("forced_opened"), _done("forced_text")),
    "limits": tuple(
        Offered(f"tried_{name}", "tried", name) for name in ("sequential", "errors", "left", "exposure")
    ),
    "speculative": (_done("drafted"),),
    "uses": (_count("used", 3),),
    "chat": (Offered("chatted", "chatted", 1),),
    "quiz": (_count("guessed", 10, 3),),
}  # fmt: skip
"""By page; the first is the one proposed."""


def find(page: str, name: str, value: Any) -> tuple[Offered, float] | None:
    """The task offered on a page that has this condition, and its number; None where there is none."""
    for offered in OFFERED.get(page, ()):
        if offered.name == name and (number := offered.number(value)) is not None:
            return offered, number
    return None
