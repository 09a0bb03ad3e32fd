"""Lessons: both languages have the same steps, every file is read strictly, tasks hold exactly when they are done."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine import shared
from engine.model import Model
from engine.types import Settings
from pages.learn import arranging, facts, reading, tasks
from pages.learn.course import Course
from pages.ui.beam_session import Beaming
from pages.ui.comparison import Comparison
from pages.ui.cutting import Cutting
from pages.ui.i18n import Translator
from pages.ui.looking import Looking
from pages.ui.said import Said
from pages.ui.session import Session

LANGUAGES = ("zh_Hant", "en")
GOOD = """
title = "A"
lead = "B"
concepts = [1]
minutes = 1
[[step]]
page = "step"
text = "{best}"
do = "C"
task = [{ written = 1 }]
then = "D"
"""


def table(model: Model, prompt: str = "今天天氣真", **widgets: Any) -> tasks.Table:
    session = Session(prompt=prompt, settings=Settings())
    return tasks.Table(model, session, Beaming(), Comparison(), Looking(), Cutting(), widgets.get)


@pytest.fixture(scope="module")
def bundled() -> Model:
    return shared.request().result()


def test_both_languages_have_the_same_steps() -> None:
    chinese, english = (reading.lessons(language) for language in LANGUAGES)
    assert len(chinese) > 0
    for one, other in zip(chinese, english, strict=True):
        assert (one.name, one.concepts, one.minutes) == (other.name, other.concepts, other.minutes)
        for mine, yours in zip(one.steps, other.steps, strict=True):
            assert (mine.page, mine.point) == (yours.page, yours.point)
            assert [name for name, _ in mine.task] == [name for name, _ in yours.task]
            assert {name for name, _ in mine.settings} == {name for name, _ in yours.settings}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ('page = "step"', 'page = "nowhere"'),
        ("{best}", "{worst}"),
        ("written = 1", "flown = 1"),
        ("task = [{ written = 1 }]", "task = []"),
        ('then = "D"', 'then = "D"\npoint = "nose"'),
        ('then = "D"', 'then = "D"\nsettings = { colour = 1 }'),
        ('then = "D"', 'then = "D"\nmore = 1'),
        ('title = "A"', ""),
        ('title = "A"', "title = A"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_name(change: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    path = tmp_path / "en" / "01-a.toml"
    path.write_text(GOOD, "utf-8")
    assert len(reading.lessons.__wrapped__("en", tmp_path)) == 1
    path.write_text(GOOD.replace(change, says), "utf-8")
    with pytest.raises(reading.LessonError, match=r"en/01-a\.toml"):
        reading.lessons.__wrapped__("en", tmp_path)


def test_every_condition_begins_undone_or_says_what_stands(bundled: Model) -> None:
    """Conditions of something done do not hold before anything is done."""
    at_rest = table(bundled)
    values: dict[str, Any] = {
        "written": 1, "hand": 0.5, "back": 1, "branches": 2, "stopped": ["end", "length", "person", "context"],
        "loops": True, "length": 1, "seeds": 1, "own_prompt": True, "unlikely": 1e-9, "search": True, "beam_over": True,
        "beam_opened": True, "compared": 1, "head": 1, "row": True, "lens": True, "mattered": True, "cut_text": True,
        "cut_opened": True, "merged": 1, "beam_levels": 2,
    }  # fmt: skip
    for name, value in values.items():
        assert not tasks.done(((name, value),), at_rest, {}), name


def test_tokens_written_and_taken_by_hand(bundled: Model) -> None:
    at = table(bundled)
    memories: list[dict[str, Any]] = [{}, {}, {}]
    ask = lambda: (  # noqa: E731
        tasks.done((("written", 2),), at, memories[0]),
        tasks.done((("hand", 0.05),), at, memories[1]),
        tasks.done((("back", 1),), at, memories[2]),
    )
    assert ask() == (False, False, False)
    at.session.step(bundled)
    assert ask() == (False, False, False)
    distribution = bundled.distribution(at.trace.token_ids())
    improbable = next(c for c in distribution.top(200) if c.raw < 0.05)
    at.session.pick(bundled, at.session.turn, improbable.token_id)
    assert ask() == (True, True, False)
    at.session.back(bundled)
    assert ask() == (True, True, True)
    log = bundled.score(at.trace.token_ids(len(at.trace.choices) - 1)).log_probabilities[-1]
    assert log is not None and math.exp(log) == pytest.approx(improbable.raw, rel=1e-4)


def test_seeds_count_where_a_token_was_drawn(bundled: Model) -> None:
    at = table(bundled)
    memory: dict[str, Any] = {}
    task = (("seeds", 2),)
    assert not tasks.done(task, at, memory)
    at.session.seed = 1
    assert not tasks.done(task, at, memory)
    at.session.step(bundled)
    assert not tasks.done(task, at, memory)
    at.session.restart(bundled)
    at.session.seed = 2
    assert not tasks.done(task, at, memory)
    at.session.step(bundled)
    assert tasks.done(task, at, memory)


@pytest.mark.parametrize("language", LANGUAGES)
def test_facts_are_the_models_own(bundled: Model, language: str) -> None:
    t, at = Translator(language), table(bundled)
    at.session.step(bundled)
    ids = at.trace.token_ids()
    top = engine.load().distribution(ids).top(2)
    found = {name: fact(at, t) for name, fact in facts.FACTS.items()}
    assert (found["best"], found["best_p"]) == (top[0].text, t.percent(top[0].raw))
    assert found["vocabulary"] == f"{bundled.vocabulary.size:,}"
    logs = [value for value in bundled.score(ids).log_probabilities if value is not None]
    assert found["log_p"] == t.number(sum(logs))
    assert found["last_p"] == t.percent(math.exp(logs[-1]))
    assert found["kept"] == f"{bundled.vocabulary.size:,}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_can_be_arranged_and_asked(bundled: Model, language: str) -> None:
    t = Translator(language)
    for lesson in reading.lessons(language):
        course = Course()
        for number, step in enumerate(lesson.steps):
            course.begin(lesson, number)
            if step.prompt is not None and step.page in ("step", "beam", "attention"):
                at = table(bundled, step.prompt)
                assert bundled.read_prompt(step.prompt)
            else:
                at = table(bundled)
            assert not course.look(lesson, at) or not step.prompt, (lesson.name, number)
            for name in reading.NAMED.findall(step.text + step.do + step.then):
                assert facts.FACTS[name](at, t)
            for name, value in step.settings:
                if name in arranging._CHOOSING:
                    Settings(**{name: value})


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "x"]), inner, max_size=3),
    max_leaves=12,
)


@given(json)
def test_whatever_a_browser_remembered_is_taken_with_care(kept: Any) -> None:
    course = Course()
    course.remember(kept, ["a", "b"])
    assert set(course.done) <= {"a", "b"}
    assert all(type(step) is int and 0 <= step < 20 for steps in course.done.values() for step in steps)
    again = Course()
    again.remember(course.kept(), ["a", "b"])
    assert again.kept() == course.kept()


@given(st.text(max_size=12) | st.from_regex(r"01-next-token\.\d{0,5}", fullmatch=True))
def test_any_address_opens_a_step_or_none(text: str) -> None:
    course, every = Course(), reading.lessons("en")
    step = course.follow(Said({"lesson": text}), every)
    assert (step is None) == (course.lesson is None)
    assert step is None or step in every[0].steps
    again = Course()
    assert again.follow(Said(course.address()), every) == step
    assert not again.turning
