"""Material for teachers: the same in both languages, every step opens, every placeholder is known."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from pages.course import catalog
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator
from pages.shell import navigation
from pages.teachers import answers, documents, lesson_links, material

CHINESE, ENGLISH = (material.read(language) for language in WRITTEN)


def texts(value: Any) -> Iterator[str]:
    """All strings in a part of the material."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for entry in value:
            yield from texts(entry)
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))


def shape(value: Any) -> Any:
    """Structure of a part of the material: lengths, steps, pages and queries, without its sentences."""
    if isinstance(value, tuple):
        return [shape(entry) for entry in value]
    if is_dataclass(value):
        return {field.name: shape(getattr(value, field.name)) for field in fields(value)} | {
            name: getattr(value, name) for name in ("steps", "page", "query") if hasattr(value, name)
        }
    return None


def test_both_languages_have_the_same_material() -> None:
    assert shape(CHINESE) == shape(ENGLISH)
    queries = [task.query for task in (*CHINESE.tasks, *ENGLISH.tasks)]
    empty = [text for text in (*texts(CHINESE), *texts(ENGLISH)) if not text.strip()]
    assert empty == [query for query in queries if not query], "a page that its task opens as it is"
    counts = [len(CHINESE.plans), len(CHINESE.tasks), len(CHINESE.exit_items), len(CHINESE.points)]
    assert counts == [4, 10, 5, 37]
    for one, other in zip(CHINESE.plans, ENGLISH.plans, strict=True):
        assert [row.minutes.isdecimal() for row in one.rows] == [row.minutes.isdecimal() for row in other.rows]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_that_is_named_opens(language: str) -> None:
    """As a link does: by the names of today's lessons, or by those that they had."""
    steps = material.read(language).steps
    assert len(steps) > 35
    for step in steps:
        title, number, content = lesson_links.find(step, language)
        assert title and content.do
        assert number >= 1
        link = lesson_links.to_step(step, language)
        assert link["path"] == ("" if content.page == navigation.STEP else content.page) + f"?lesson={step}"
        assert not re.search(r"[{}]", lesson_links.does(step, language))
    with pytest.raises(KeyError):
        lesson_links.find("99-nothing.1", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lesson_is_as_long_as_its_plan_says(language: str) -> None:
    plans = [plan for plan in material.read(language).plans if all(row.minutes.isdecimal() for row in plan.rows)]
    said = [[int(number) for number in re.findall(r"\d+", plan.name)] for plan in plans]
    assert said == [[15], [50], [50]] == [[sum(int(row.minutes) for row in plan.rows)] for plan in plans]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_ideas_are_those_of_nearly_all_lessons(language: str) -> None:
    named = {lesson_links.find(step, language)[0] for point in material.read(language).points for step in point.steps}
    assert named <= {lesson.title for lesson in catalog.lessons(language)} and len(named) > 14


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_and_label_is_known(language: str) -> None:
    t, values = Translator(language), answers.bundled_values(language)
    used: set[str] = set()
    for text in texts(material.read(language)):
        used |= {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert not re.search(r"[{}]|\[[a-z]", material.fill(text, values, t)), text
    assert used <= set(values)
    before = answers.setup_values(language)
    assert documents.plan(before, t) and documents.ideas(before, t), "parts that need no model"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_of_the_model_is_typed(language: str) -> None:
    content = material.read(language)
    assert [
        text for text in texts((content.tasks, content.exit_items)) if re.search(r"\d\s*[%％]|\d\.\d{2}", text)
    ] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_learner_does_is_told_without_values_of_the_running_model(language: str) -> None:
    told = {step: lesson_links.does(step, language) for step in material.read(language).steps}
    given = {step: lesson_links.find(step, language)[2].do for step in told}
    with_values = [step for step, text in given.items() if "{" in text]
    assert all("…" in told[step] for step in with_values)
    assert all(told[step] == text for step, text in given.items() if step not in with_values)
