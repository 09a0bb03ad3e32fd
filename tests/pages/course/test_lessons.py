"""Lessons: both languages have the same steps, every file is read strictly, tasks hold exactly when they are done."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.decoding.beam_types import BeamSettings
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.compare.state import CompareState
from pages.course import catalog, placeholders, step_setup, tasks
from pages.course.learner import Learner
from pages.course.lesson import NAMED, LessonError
from pages.course.state import CourseState
from pages.i18n.translator import Translator
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.tokens.state import TokensState

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


def table(model: Model, prompt: str = "今天天氣真", **widgets: Any) -> Learner:
    session = TextState(prompt=prompt, settings=Settings())
    return Learner(model, session, BeamState(), CompareState(), AttentionState(), TokensState(), widgets.get)


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


def test_both_languages_have_the_same_steps() -> None:
    chinese, english = (catalog.lessons(language) for language in LANGUAGES)
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
    assert len(catalog.lessons.__wrapped__("en", tmp_path)) == 1
    path.write_text(GOOD.replace(change, says), "utf-8")
    with pytest.raises(LessonError, match=r"en/01-a\.toml"):
        catalog.lessons.__wrapped__("en", tmp_path)


def test_every_condition_begins_undone_or_says_what_stands(bundled: Model) -> None:
    """Conditions of something done do not hold before anything is done."""
    at_rest = table(bundled)
    values: dict[str, Any] = {
        "written": 1, "hand": 0.5, "back": 1, "branches": 2, "stopped": ["end", "length", "person", "context"],
        "loops": True, "length": 1, "seeds": 1, "own_prompt": True, "unlikely": 1e-9, "search": True, "beam_over": True,
        "beam_opened": True, "compared": 1, "head": 1, "row": True, "lens": True, "mattered": True, "cut_text": True,
        "cut_opened": True, "merged": 1, "beam_levels": 2, "again": 1, "least": True, "beam_widths": 1,
        "flat_changed": True,
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
    found = {name: fact(at, t) for name, fact in placeholders.PLACEHOLDERS.items()}
    assert (found["best"], found["best_p"]) == (top[0].text, t.percent(top[0].raw))
    assert found["vocabulary"] == f"{bundled.vocabulary.size:,}"
    logs = [value for value in bundled.score(ids).log_probabilities if value is not None]
    assert found["log_p"] == t.number(sum(logs))
    assert found["last_p"] == t.percent(math.exp(logs[-1]))
    assert found["kept"] == f"{bundled.vocabulary.size:,}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_can_be_arranged_and_asked(bundled: Model, language: str) -> None:
    t = Translator(language)
    for lesson in catalog.lessons(language):
        course = CourseState()
        for number, step in enumerate(lesson.steps):
            course.begin(lesson, number)
            if step.prompt is not None and step.page in ("step", "beam", "attention"):
                at = table(bundled, step.prompt)
                assert bundled.read_prompt(step.prompt)
            else:
                at = table(bundled)
            assert not course.check(lesson, at) or not step.prompt, (lesson.name, number)
            for name in NAMED.findall(step.text + step.do + step.then):
                assert placeholders.PLACEHOLDERS[name](at, t)
            for name, value in step.settings:
                if name in step_setup._CHOOSING:
                    Settings(**{name: value})


def test_a_text_that_is_written_twice_without_luck(bundled: Model) -> None:
    at, memory = table(bundled), dict[str, Any]()
    at.session.strategy = "greedy"
    task = (("again", 3),)
    for _ in range(3):
        at.session.step(bundled)
        assert not tasks.done(task, at, memory)
    at.session.restart(bundled)
    assert not tasks.done(task, at, memory)
    for _ in range(3):
        assert not tasks.done(task, at, memory)
        at.session.step(bundled)
    assert tasks.done(task, at, memory)
    at.session.back(bundled)
    improbable = bundled.distribution(at.trace.token_ids()).top(9)[8]
    at.session.pick(bundled, at.session.turn, improbable.token_id)
    assert not tasks.done(task, at, memory), "another way was gone"


def test_the_least_expected_token_is_found_by_standing_on_it(bundled: Model) -> None:
    at = table(bundled, "今天天氣真好，我們一起去公園洗碗。")
    logs = bundled.score(at.trace.token_ids()).log_probabilities
    ticked, memory = [], dict[str, Any]()
    assert not tasks.done((("least", True),), at, memory)
    for place in range(len(logs)):
        at.session.go_to(bundled, at.session.turn, place)
        if tasks.done((("least", True),), at, memory):
            ticked.append(place)
    assert ticked == [min(range(1, len(logs)), key=lambda place: logs[place] or 0.0)]


def test_a_search_counts_where_something_is_found(bundled: Model) -> None:
    for query, found in (("雨", True), ("", False), ("qqzzqq", False)):
        assert tasks.done((("search", True),), table(bundled, search=query), {}) is found
    t = Translator("en")
    at = table(bundled, search="雨")
    raw = bundled.distribution(at.trace.token_ids()).raw
    rain = bundled.vocabulary.search("雨")[0]
    expected = ("雨", f"{int((raw > raw[rain]).sum()) + 1:,}", t.percent(float(raw[rain])))
    assert tuple(placeholders.PLACEHOLDERS[name](at, t) for name in ("found", "found_rank", "found_p")) == expected
    assert placeholders.PLACEHOLDERS["found"](table(bundled, search="qqzzqq"), t) == placeholders.NOTHING


def test_beams_followed_to_the_end_at_two_widths(bundled: Model) -> None:
    at, memory, t = table(bundled), dict[str, Any](), Translator("en")
    task = (("beam_widths", 2),)
    for width in (2, 2, 3):
        assert not tasks.done(task, at, memory)
        at.beaming.settings = BeamSettings(width, max_new_tokens=3)
        at.beaming.ready(at.session, bundled)
        at.beaming.restart()
        assert not tasks.done(task, at, memory)
        at.beaming.run()
        while at.beaming.run_on(0.1):
            pass
        assert placeholders.PLACEHOLDERS["beam_candidates"](at, t) == f"{width * bundled.vocabulary.size:,}"
    assert tasks.done(task, at, memory)
    assert placeholders.PLACEHOLDERS["beam_held"](at, t) == "3"
    assert at.beaming.search is not None
    assert placeholders.PLACEHOLDERS["beam_score"](at, t) == t.number(at.beaming.search.sequences[0].score, 2)
    at.session.strategy = "greedy"
    for _ in range(3):
        at.session.step(bundled)
    assert placeholders.PLACEHOLDERS["greedy_score"](at, t) == t.number(sum(placeholders._logs(at)[-3:]) / 3, 2)
    at.beaming.back()
    assert placeholders.PLACEHOLDERS["beam_score"](at, t) == placeholders.NOTHING


def test_one_of_two_prompts_is_changed(bundled: Model) -> None:
    memory: dict[str, Any] = {}
    task = (("flat_changed", True),)
    ask = lambda **prompts: tasks.done(  # noqa: E731
        task, table(bundled, **{f"compare {which} en": prompt for which, prompt in prompts.items()}), memory
    )
    assert not ask(flat="I like", peaked="Once upon a")
    assert not ask(flat="I like", peaked="  ")
    assert ask(flat="I like", peaked="Once")
    t = Translator("en")
    at = table(bundled, **{"compare flat en": "I like", "compare peaked en": " "})
    raw = -np.sort(-bundled.distribution(bundled.read_prompt("I like")).raw)
    top_p = float(placeholders.PLACEHOLDERS["compare_top_p"](at, t))
    assert placeholders.PLACEHOLDERS["flat_kept"](at, t) == f"{int((np.cumsum(raw) < top_p).sum()) + 1:,}"
    assert placeholders.PLACEHOLDERS["peaked_kept"](at, t) == placeholders.NOTHING


def test_a_text_that_repeats_itself_is_shown_where_it_does(bundled: Model) -> None:
    at, t = table(bundled, "I went to the"), Translator("en")
    at.session.strategy = "greedy"
    assert placeholders.PLACEHOLDERS["repeated"](at, t) == placeholders.NOTHING
    for _ in range(24):
        at.session.step(bundled)
    assert tasks.done((("loops", True),), at, {})
    said = placeholders.PLACEHOLDERS["repeated"](at, t)
    text = bundled.text(at.trace.token_ids())
    assert text.count(said) >= 2
    ids, span = at.trace.token_ids(), 4
    start = at.trace.prompt_length
    again, once = min(
        (j, i) for j in range(start, len(ids) - 3) for i in range(start, j) if ids[i : i + 4] == ids[j : j + 4]
    )
    for name, first in (("once_p", once), ("again_p", again)):
        chances = [float(bundled.distribution(ids[:k]).raw[ids[k]]) for k in range(first, first + span)]
        assert placeholders.PLACEHOLDERS[name](at, t) == t.percent(math.prod(chances) ** (1 / span))


def test_the_chain_of_probabilities_and_the_draw(bundled: Model) -> None:
    at, t = table(bundled), Translator("zh_Hant")
    at.session.settings = Settings(temperature=0.5)
    u, pick = placeholders.PLACEHOLDERS["u"](at, t), placeholders.PLACEHOLDERS["pick"](at, t)
    assert 0 <= float(u) < 1
    ids = at.trace.token_ids()
    logits = bundled.distribution(ids).logits.astype(np.float64) / 0.5
    drawn = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert placeholders.PLACEHOLDERS["best_drawn"](at, t) == t.percent(float(drawn.max()))
    before = placeholders.PLACEHOLDERS["perplexity"](at, t)
    at.session.step(bundled)
    assert placeholders.PLACEHOLDERS["last"](at, t) == pick
    assert placeholders.PLACEHOLDERS["perplexity_before"](at, t) == before
    ids = at.trace.token_ids()
    chances = [float(bundled.distribution(ids[:k]).raw[ids[k]]) for k in range(1, len(ids))]
    assert placeholders.PLACEHOLDERS["text_p"](at, t) == t.percent(math.prod(chances))
    assert placeholders.PLACEHOLDERS["factors"](at, t) == str(len(chances))
    assert placeholders.PLACEHOLDERS["perplexity"](at, t) == t.number(math.prod(chances) ** (-1 / len(chances)))
    at.session.strategy = "greedy"
    assert placeholders.PLACEHOLDERS["u"](at, t) == placeholders.NOTHING


ODD = (
    "好",
    "a",
    "  hi ",
    "👨‍👩‍👧‍👦",
    "مرحبا",
    "{best} **b** <b>",
    "<eos>",
    "今天天氣真好。" * 43,
    "a\u0000b",
    "\n\n",
    "ChatGPT 是",
)


@pytest.mark.parametrize("prompt", ODD)
def test_no_step_breaks_on_a_prompt_of_the_learners_own(bundled: Model, prompt: str) -> None:
    """Every step of every lesson, asked and told, over a text that nobody expected: begun, written and gone back."""
    at = table(bundled, prompt, search="%", **dict.fromkeys(("compare flat en", "compare peaked zh_Hant"), prompt))
    at.session.set_prompt(bundled, prompt)
    at.beaming.settings = BeamSettings(2, max_new_tokens=2)
    at.beaming.ready(at.session, bundled)
    moves = (
        lambda: None,
        lambda: at.session.step(bundled),
        lambda: at.beaming.run_on(1),
        lambda: at.session.back(bundled),
    )
    for move in moves:
        move()
        for language in LANGUAGES:
            t, course = Translator(language), CourseState()
            told = {name: fact(at, t) for name, fact in placeholders.PLACEHOLDERS.items()}
            assert all(isinstance(said, str) and said for said in told.values())
            for lesson in catalog.lessons(language):
                for number in range(len(lesson.steps)):
                    course.begin(lesson, number)
                    course.check(lesson, at)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "x"]), inner, max_size=3),
    max_leaves=12,
)


@given(json)
def test_whatever_a_browser_remembered_is_taken_with_care(kept: Any) -> None:
    course = CourseState()
    course.remember(kept, ["a", "b"])
    assert set(course.done) <= {"a", "b"}
    assert all(type(step) is int and 0 <= step < 20 for steps in course.done.values() for step in steps)
    again = CourseState()
    again.remember(course.kept(), ["a", "b"])
    assert again.kept() == course.kept()


@given(st.text(max_size=12) | st.from_regex(r"01-next-token\.\d{0,5}", fullmatch=True))
def test_any_address_opens_a_step_or_none(text: str) -> None:
    course, every = CourseState(), catalog.lessons("en")
    step = course.from_query(QueryParams({"lesson": text}), every)
    assert (step is None) == (course.lesson is None)
    assert step is None or step in every[0].steps
    again = CourseState()
    assert again.from_query(QueryParams(course.to_query()), every) == step
    assert not again.turning


@pytest.mark.parametrize("readme", ["README.md", "README.zh-TW.md"])
def test_the_readme_names_the_lesson_and_the_pages_of_all_twenty_concepts(readme: str) -> None:
    told = {}
    for line in (Path(__file__).parents[3] / readme).read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].isdecimal():
            told[int(cells[0])] = (cells[2].strip("`"), cells[3].replace("`", "").split(", "))
    taught = {
        concept: (lesson.name, list(dict.fromkeys(step.page for step in lesson.steps)))
        for lesson in catalog.lessons("zh_Hant")
        for concept in lesson.concepts
    }
    assert told == taught
    assert sorted(taught) == list(range(1, 21))
