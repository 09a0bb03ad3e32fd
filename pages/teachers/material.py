"""Types and reading of the material for teachers: `texts/LANGUAGE.toml`, one file per language; prompts in the words.

A text may have `{name}` placeholders, whose values `answers.values` computes from the bundled model, and `[key]`, which
stands for a label on the screen by its key in the words files. A step is written as in a link: `05-beam.2`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pages.i18n.translator import Translator

FOLDER = Path(__file__).parent / "texts"
_LABEL = re.compile(r"\[([a-z_]+(?:\.[a-z_]+)+)\]")


@dataclass(frozen=True, slots=True)
class Row:
    """One activity of a lesson plan. `minutes` may be the number of a period."""

    minutes: str
    activity: str
    ask: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A lesson plan."""

    name: str
    lead: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the worksheet, with its answer.

    page, query                URL name of the page on which it takes place, and the query that sets it up
    do                         instruction
    predict, observe, explain  what the student writes before, during and after
    answer, why                of the answer key
    """

    title: str
    page: str
    query: str
    do: str
    predict: str
    observe: str
    explain: str
    answer: str
    why: str


@dataclass(frozen=True, slots=True)
class Discussion:
    """A question to discuss, and what good answers mention."""

    ask: str
    listen: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misconception:
    """A common belief, and the steps of the course that refute it."""

    belief: str
    refute: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExitItem:
    """A question of the exit ticket with its answer."""

    ask: str
    answer: str


@dataclass(frozen=True, slots=True)
class Point:
    """An idea, and the steps of the course that teach it; none as long as no step does."""

    idea: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the worksheet's tasks work on: prompts, words to look up, a text to choose token by token, texts to cut."""

    weather: str
    words: tuple[str, ...]
    path_prompt: str
    path: str
    nucleus: tuple[str, ...]
    cut: tuple[str, ...]

    @property
    def prompts(self) -> tuple[str, ...]:
        """All prompts, each once."""
        return tuple(dict.fromkeys((self.weather, self.path_prompt, *self.nucleus)))


@dataclass(frozen=True, slots=True)
class Material:
    """All material of one language; the fields are the tables of its file."""

    aims: tuple[str, ...]
    prior: tuple[str, ...]
    prepare: tuple[str, ...]
    trouble: tuple[tuple[str, str], ...]
    content: tuple[str, ...]
    licence: str
    curriculum: str
    plans: tuple[Plan, ...]
    tasks: tuple[Task, ...]
    rubric: tuple[str, ...]
    discussions: tuple[Discussion, ...]
    misconceptions: tuple[Misconception, ...]
    exit_items: tuple[ExitItem, ...]
    points: tuple[Point, ...]
    sheet: Sheet

    @property
    def steps(self) -> tuple[str, ...]:
        """Every step that is named, each once."""
        rows = [row for plan in self.plans for row in plan.rows]
        groups: list[Row | Discussion | Misconception | Point] = [*rows, *self.discussions, *self.misconceptions]
        return tuple(dict.fromkeys(step for group in [*groups, *self.points] for step in group.steps))


@cache
def read(language: str) -> Material:
    """The material of a language. Raises KeyError or TypeError for a file with missing or unknown entries."""
    raw = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    content = raw["content"]
    return Material(
        aims=tuple(raw["aims"]),
        prior=tuple(raw["prior"]),
        prepare=tuple(raw["prepare"]),
        trouble=tuple((entry["problem"], entry["remedy"]) for entry in raw["trouble"]),
        content=tuple(content["items"]),
        licence=content["licence"],
        curriculum=content["curriculum"],
        plans=tuple(_plan(entry) for entry in raw["plan"]),
        tasks=tuple(Task(**entry) for entry in raw["task"]),
        rubric=tuple(raw["rubric"]),
        discussions=tuple(Discussion(**_with_tuples(entry)) for entry in raw["discussion"]),
        misconceptions=tuple(Misconception(**_with_tuples(entry)) for entry in raw["misconception"]),
        exit_items=tuple(ExitItem(**entry) for entry in raw["exit"]),
        points=tuple(Point(**_with_tuples(entry)) for entry in raw["point"]),
        sheet=_sheet(Translator(language)),
    )


def _sheet(t: Translator) -> Sheet:
    """What the worksheet works on, from the words files: in a demo, their texts are the prompts that may be used."""
    return Sheet(
        t("teachers.try.weather"),
        tuple(t.list("teachers.try.words")),
        t("teachers.try.path_prompt"),
        t("teachers.try.path"),
        tuple(t.list("teachers.try.nucleus")),
        tuple(t.list("teachers.try.cut")),
    )


def _plan(raw: Mapping[str, Any]) -> Plan:
    return Plan(raw["name"], raw["lead"], tuple(Row(**_with_tuples(row)) for row in raw["row"]))


def _with_tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


def fill(text: str, values: Mapping[str, str], t: Translator) -> str:
    """A text with its placeholders and labels filled in. Raises KeyError for an unknown one."""
    return _LABEL.sub(lambda match: t(match[1]), text).format_map(values)
