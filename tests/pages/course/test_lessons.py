"""Course: lesson files and their validation, tasks, placeholders, step set-up, saved progress, links."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decoding.beam_types import BeamSettings
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.compare.state import CompareState
from pages.course import catalog, placeholders, step_setup, tasks
from pages.course.learner import Learner, TaskMemory
from pages.course.lesson import KINDS, PLACEHOLDER, LessonError, Step
from pages.course.state import CourseState
from pages.course.tasks import Task
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.tokens.state import TokensState

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
[question]
ask = "E"
[[question.answer]]
text = "F"
says = "G"
right = true
[[question.answer]]
text = "H"
says = "I"
"""
PART = """
[[part]]
name = "p"
lessons = ["01-a"]
"""


def make_learner(model: Model, prompt: str = "今天天氣真", **widgets: Any) -> Learner:
    session = TextState(prompt=prompt, settings=Settings())
    return Learner(model, session, BeamState(), CompareState(), AttentionState(), TokensState(), widgets.get)


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


def test_both_languages_have_the_same_steps() -> None:
    chinese, english = (catalog.lessons(language) for language in WRITTEN)
    assert len(chinese) > 0
    for lesson, other in zip(chinese, english, strict=True):
        assert (lesson.name, lesson.concepts, lesson.minutes) == (other.name, other.concepts, other.minutes)
        for step, other_step in zip(lesson.steps, other.steps, strict=True):
            assert (step.page, step.point) == (other_step.page, other_step.point)
            assert [name for name, _ in step.task] == [name for name, _ in other_step.task]
            assert {name for name, _ in step.settings} == {name for name, _ in other_step.settings}
            assert asked(step) == asked(other_step)
            assert columns(step) == columns(other_step)


def asked(step: Step) -> tuple[str, str, list[str]] | None:
    """What a step asks to be guessed."""
    guess = step.guess
    return None if guess is None else (guess.kind, guess.value, [name for name, _ in guess.options])


def columns(step: Step) -> list[list[str]] | None:
    """Values in the columns of a step's ledger."""
    ledger = step.ledger
    return None if ledger is None else [[name for _, name in part] for part in (ledger.settings, ledger.results)]


def test_lessons_ask_and_keep() -> None:
    steps = [step for lesson in catalog.lessons("en") for step in lesson.steps]
    assert {step.guess.kind for step in steps if step.guess} == set(KINDS)
    assert sum(step.guess is not None for step in steps) >= 6
    assert sum(step.ledger is not None for step in steps) >= 3


@pytest.mark.parametrize(
    ("old", "new"),
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
        ('ask = "E"', ""),
        ('ask = "E"', 'ask = "{best}"'),
        ("right = true", ""),
        ('says = "I"', 'says = "I"\nright = true'),
        ('says = "I"', 'says = "I"\nwhy = "J"'),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_name(old: str, new: str, tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "parts.toml").write_text(PART, "utf-8")
    path = tmp_path / "en" / "01-a.toml"
    path.write_text(GOOD, "utf-8")
    assert len(catalog.lessons.__wrapped__("en", tmp_path)) == 1
    path.write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(LessonError, match=r"en/01-a\.toml"):
        catalog.lessons.__wrapped__("en", tmp_path)


GUESS = 'guess = { ask = "How much?", kind = "percent", value = "best_p" }'
CHOICE = 'guess = { ask = "Who?", kind = "choice", value = "written_twice", options = { same = "A", other = "B" } }'
LEDGER = 'ledger = { settings = { "T" = "temperature" }, results = { "First" = "best", "P" = "best_p" } }'


@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (GUESS, "best_p", "worst_p", "no such number: worst_p"),
        (GUESS, "percent", "feeling", "no such kind of guess: feeling"),
        (GUESS, 'kind = "percent", ', "", "guess: kind is missing"),
        (GUESS, "kind", "sort = 1, kind", "no such entry of a guess: sort"),
        (GUESS, "How much?", " ", "guess: asks nothing"),
        (GUESS, "How much?", "{colour}?", "no such number: colour"),
        (GUESS, '"best_p"', '"best_p", options = { a = "A", b = "B" }', "options are for a choice, not for a percent"),
        (CHOICE, "written_twice", "weather", "no such outcome: weather"),
        (CHOICE, 'other = "B"', 'others = "B"', "the options of written_twice are same, other"),
        (CHOICE, ', options = { same = "A", other = "B" }', "", "the options of written_twice are same, other"),
        (LEDGER, '"temperature"', '"weather"', "no such number: weather"),
        (LEDGER, "results", "outcome", "ledger: results is missing"),
        (LEDGER, '"T" = "temperature"', "", "ledger: needs a setting and a result, at most 4 columns"),
        (LEDGER, '"P"', '"T"', "ledger: two columns have the same title"),
        (LEDGER, '"P"', '"Q" = "best", "R" = "best", "P"', "ledger: needs a setting and a result, at most 4 columns"),
    ],
)
def test_a_guess_or_ledger_that_is_wrong_is_refused(
    line: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "parts.toml").write_text(PART, "utf-8")
    path = tmp_path / "en" / "01-a.toml"
    path.write_text(GOOD.replace('then = "D"', f'then = "D"\n{line}'), "utf-8")
    [lesson] = catalog.lessons.__wrapped__("en", tmp_path)
    assert (lesson.steps[0].guess is None) != (lesson.steps[0].ledger is None)
    path.write_text(GOOD.replace('then = "D"', f'then = "D"\n{line.replace(old, new)}'), "utf-8")
    with pytest.raises(LessonError, match=rf"en/01-a\.toml: .*{re.escape(message)}"):
        catalog.lessons.__wrapped__("en", tmp_path)


def all_met(task: Task, learner: Learner, memory: TaskMemory) -> bool:
    return all(tasks.met(task, learner, memory))


def test_every_condition_begins_undone_or_says_what_stands(bundled: Model) -> None:
    """Conditions on an action do not hold before any action."""
    initial = make_learner(bundled)
    values: dict[str, Any] = {
        "written": 1, "hand": 0.5, "back": 1, "branches": 2, "stopped": ["end", "length", "person", "context"],
        "loops": True, "length": 1, "seeds": 1, "own_prompt": True, "unlikely": 1e-9, "search": True, "beam_over": True,
        "beam_opened": True, "compared": 1, "head": 1, "row": True, "lens": True, "mattered": True, "cut_text": True,
        "cut_opened": True, "merged": 1, "beam_levels": 2, "again": 1, "least": True, "beam_widths": 1,
        "flat_changed": True, "found_rank": 1, "wrote": "x", "logit_gap": 0.0, "best_drawn": [0.0, 1.0],
        "nucleus": 9**9, "cut_count": 1, "cut_more": True, "head_first": 0.0, "lens_first": True, "forced_first": True,
        "forced_harder": True, "forced_below": 9e9, "chatted": 1, "box": "embedding", "last_layer": True,
    }  # fmt: skip
    for name, value in values.items():
        assert not all_met(((name, value),), initial, {}), name


def test_tokens_written_and_taken_by_hand(bundled: Model) -> None:
    learner = make_learner(bundled)
    memories: list[dict[str, Any]] = [{}, {}, {}]
    results = lambda: (  # noqa: E731
        all_met((("written", 2),), learner, memories[0]),
        all_met((("hand", 0.05),), learner, memories[1]),
        all_met((("back", 1),), learner, memories[2]),
    )
    assert results() == (False, False, False)
    learner.session.step(bundled)
    assert results() == (False, False, False)
    distribution = bundled.distribution(learner.trace.token_ids())
    improbable = next(c for c in distribution.top(200) if c.raw < 0.05)
    learner.session.pick(bundled, learner.session.turn, improbable.token_id)
    assert results() == (True, True, False)
    learner.session.back(bundled)
    assert results() == (True, True, True)
    log = bundled.score(learner.trace.token_ids(len(learner.trace.choices) - 1)).log_probabilities[-1]
    assert log is not None and math.exp(log) == pytest.approx(improbable.raw, rel=1e-4)


def test_seeds_count_where_a_token_was_drawn(bundled: Model) -> None:
    learner = make_learner(bundled)
    memory: dict[str, Any] = {}
    task = (("seeds", 2),)
    assert not all_met(task, learner, memory)
    learner.session.seed = 1
    assert not all_met(task, learner, memory)
    learner.session.step(bundled)
    assert not all_met(task, learner, memory)
    learner.session.restart(bundled)
    learner.session.seed = 2
    assert not all_met(task, learner, memory)
    learner.session.step(bundled)
    assert all_met(task, learner, memory)


@pytest.mark.parametrize("language", LANGUAGES)
def test_facts_are_the_models_own(bundled: Model, language: str) -> None:
    t, learner = Translator(language), make_learner(bundled)
    learner.session.step(bundled)
    ids = learner.trace.token_ids()
    top = model_registry.request().result().distribution(ids).top(2)
    values = {name: value(learner, t) for name, value in placeholders.PLACEHOLDERS.items()}
    assert (values["best"], values["best_p"]) == (top[0].text, t.percent(top[0].raw))
    assert values["vocabulary"] == f"{bundled.vocabulary.size:,}"
    logs = [value for value in bundled.score(ids).log_probabilities if value is not None]
    assert values["log_p"] == t.number(sum(logs))
    assert values["last_p"] == t.percent(math.exp(logs[-1]))
    assert values["kept"] == f"{bundled.vocabulary.size:,}"


@pytest.mark.parametrize("language", WRITTEN)
def test_every_step_can_be_arranged_and_asked(bundled: Model, language: str) -> None:
    t = Translator(language)
    for lesson in catalog.lessons(language):
        course = CourseState()
        for number, step in enumerate(lesson.steps):
            course.begin(lesson, number)
            if step.prompt is not None and step.page in ("step", "beam", "transformer", "attention"):
                learner = make_learner(bundled, step.prompt)
                assert bundled.read_prompt(step.prompt)
            else:
                learner = make_learner(bundled)
            assert not course.check(lesson, learner) or not step.prompt, (lesson.name, number)
            for name in PLACEHOLDER.findall(step.text + step.do + step.then + (step.guess.ask if step.guess else "")):
                assert placeholders.PLACEHOLDERS[name](learner, t)
            for name, value in step.settings:
                if name in step_setup._SAMPLING_SETTINGS:
                    Settings(**{name: value})


def test_a_text_that_is_written_twice_without_luck(bundled: Model) -> None:
    learner, memory = make_learner(bundled), dict[str, Any]()
    learner.session.strategy = "greedy"
    task = (("again", 3),)
    for _ in range(3):
        learner.session.step(bundled)
        assert not all_met(task, learner, memory)
    learner.session.restart(bundled)
    assert not all_met(task, learner, memory)
    for _ in range(3):
        assert not all_met(task, learner, memory)
        learner.session.step(bundled)
    assert all_met(task, learner, memory)
    learner.session.back(bundled)
    improbable = bundled.distribution(learner.trace.token_ids()).top(9)[8]
    learner.session.pick(bundled, learner.session.turn, improbable.token_id)
    assert not all_met(task, learner, memory), "the tree has a branch"


def test_the_least_expected_token_is_found_by_standing_on_it(bundled: Model) -> None:
    learner = make_learner(bundled, "今天天氣真好，我們一起去公園洗碗。")
    logs = bundled.score(learner.trace.token_ids()).log_probabilities
    positions, memory = [], dict[str, Any]()
    assert not all_met((("least", True),), learner, memory)
    for position in range(len(logs)):
        learner.session.go_to(bundled, learner.session.turn, position)
        if all_met((("least", True),), learner, memory):
            positions.append(position)
    assert positions == [min(range(1, len(logs)), key=lambda position: logs[position] or 0.0)]


def test_a_search_counts_where_something_is_found(bundled: Model) -> None:
    for query, expected in (("雨", True), ("", False), ("qqzzqq", False)):
        assert all_met((("search", True),), make_learner(bundled, search=query), {}) is expected
    t = Translator("en")
    learner = make_learner(bundled, search="雨")
    raw = bundled.distribution(learner.trace.token_ids()).raw
    rain = bundled.vocabulary.search("雨")[0]
    rain_values = ("雨", f"{int((raw > raw[rain]).sum()) + 1:,}", t.percent(float(raw[rain])))
    assert (
        tuple(placeholders.PLACEHOLDERS[name](learner, t) for name in ("found", "found_rank", "found_p")) == rain_values
    )
    assert placeholders.PLACEHOLDERS["found"](make_learner(bundled, search="qqzzqq"), t) == placeholders.NO_VALUE


def test_an_earlier_token_counts_in_the_matrix_and_in_the_text_above_it(bundled: Model) -> None:
    task = (("row", True),)
    for last, chosen, expected in ((7, 3, True), (7, 7, False), (3, 3, False), (3, 5, True), (7, 0, True)):
        learner, memory = make_learner(bundled, "今天天氣真好，我們一起去"), dict[str, Any]()
        assert len(learner.trace.choices) == 8
        learner.session.go_to(bundled, learner.session.turn, last)
        assert not all_met(task, learner, memory), "where the step began"
        learner.session.go_to(bundled, learner.session.turn, chosen)
        assert all_met(task, learner, memory) is expected, (last, chosen)
    learner, memory = make_learner(bundled, "今天天氣真好，我們一起去"), {}
    assert not all_met(task, learner, memory)
    learner.session.set_prompt(bundled, "今天天氣")
    assert not all_met(task, learner, memory), "another text is not an earlier token"
    learner.attention.row = 1
    assert all_met(task, learner, memory)


def test_beams_followed_to_the_end_at_two_widths(bundled: Model) -> None:
    learner, memory, t = make_learner(bundled), dict[str, Any](), Translator("en")
    task = (("beam_widths", 2),)
    for width in (2, 2, 3):
        assert not all_met(task, learner, memory)
        learner.beam.settings = BeamSettings(width, max_new_tokens=3)
        learner.beam.update_search(learner.session, bundled)
        learner.beam.restart()
        assert not all_met(task, learner, memory)
        learner.beam.run()
        while learner.beam.run_on(0.1):
            pass
        assert placeholders.PLACEHOLDERS["beam_candidates"](learner, t) == f"{width * bundled.vocabulary.size:,}"
    assert all_met(task, learner, memory)
    assert placeholders.PLACEHOLDERS["beam_held"](learner, t) == "3"
    assert learner.beam.search is not None
    assert placeholders.PLACEHOLDERS["beam_score"](learner, t) == t.number(learner.beam.search.sequences[0].score, 2)
    learner.session.strategy = "greedy"
    for _ in range(3):
        learner.session.step(bundled)
    assert placeholders.PLACEHOLDERS["greedy_score"](learner, t) == t.number(
        sum(placeholders._log_probabilities(learner)[-3:]) / 3, 2
    )
    learner.beam.back()
    assert placeholders.PLACEHOLDERS["beam_score"](learner, t) == placeholders.NO_VALUE


def test_one_of_two_prompts_is_changed(bundled: Model) -> None:
    memory: dict[str, Any] = {}
    task = (("flat_changed", True),)
    is_done = lambda **prompts: all_met(  # noqa: E731
        task, make_learner(bundled, **{f"compare {which} en": prompt for which, prompt in prompts.items()}), memory
    )
    assert not is_done(flat="I like", peaked="Once upon a")
    assert not is_done(flat="I like", peaked="  ")
    assert is_done(flat="I like", peaked="Once")
    t = Translator("en")
    learner = make_learner(bundled, **{"compare flat en": "I like", "compare peaked en": " "})
    raw = -np.sort(-bundled.distribution(bundled.read_prompt("I like")).raw)
    top_p = float(placeholders.PLACEHOLDERS["compare_top_p"](learner, t))
    assert placeholders.PLACEHOLDERS["flat_kept"](learner, t) == f"{int((np.cumsum(raw) < top_p).sum()) + 1:,}"
    assert placeholders.PLACEHOLDERS["peaked_kept"](learner, t) == placeholders.NO_VALUE


def test_a_text_that_repeats_itself_is_shown_where_it_does(bundled: Model) -> None:
    learner, t = make_learner(bundled, "I went to the"), Translator("en")
    learner.session.strategy = "greedy"
    assert placeholders.PLACEHOLDERS["repeated"](learner, t) == placeholders.NO_VALUE
    for _ in range(24):
        learner.session.step(bundled)
    assert all_met((("loops", True),), learner, {})
    repeated = placeholders.PLACEHOLDERS["repeated"](learner, t)
    text = bundled.text(learner.trace.token_ids())
    assert text.count(repeated) >= 2
    ids, span = learner.trace.token_ids(), 4
    start = learner.trace.prompt_length
    second, first = min(
        (j, i) for j in range(start, len(ids) - 3) for i in range(start, j) if ids[i : i + 4] == ids[j : j + 4]
    )
    for name, begin in (("once_p", first), ("again_p", second)):
        probabilities = [float(bundled.distribution(ids[:k]).raw[ids[k]]) for k in range(begin, begin + span)]
        assert placeholders.PLACEHOLDERS[name](learner, t) == t.percent(math.prod(probabilities) ** (1 / span))


def test_the_chain_of_probabilities_and_the_draw(bundled: Model) -> None:
    learner, t = make_learner(bundled), Translator("zh_Hant")
    learner.session.settings = Settings(temperature=0.5)
    u, pick = placeholders.PLACEHOLDERS["u"](learner, t), placeholders.PLACEHOLDERS["pick"](learner, t)
    assert 0 <= float(u) < 1
    ids = learner.trace.token_ids()
    logits = bundled.distribution(ids).logits.astype(np.float64) / 0.5
    drawn = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert placeholders.PLACEHOLDERS["best_drawn"](learner, t) == t.percent(float(drawn.max()))
    before = placeholders.PLACEHOLDERS["perplexity"](learner, t)
    learner.session.step(bundled)
    assert placeholders.PLACEHOLDERS["last"](learner, t) == pick
    assert placeholders.PLACEHOLDERS["perplexity_before"](learner, t) == before
    ids = learner.trace.token_ids()
    probabilities = [float(bundled.distribution(ids[:k]).raw[ids[k]]) for k in range(1, len(ids))]
    assert placeholders.PLACEHOLDERS["text_p"](learner, t) == t.percent(math.prod(probabilities))
    assert placeholders.PLACEHOLDERS["factors"](learner, t) == str(len(probabilities))
    assert placeholders.PLACEHOLDERS["perplexity"](learner, t) == t.number(
        math.prod(probabilities) ** (-1 / len(probabilities))
    )
    learner.session.strategy = "greedy"
    assert placeholders.PLACEHOLDERS["u"](learner, t) == placeholders.NO_VALUE


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
    """Tasks and placeholders of every step can be evaluated for unusual prompts, before and after each action."""
    learner = make_learner(
        bundled, prompt, search="%", **dict.fromkeys(("compare flat en", "compare peaked zh_Hant"), prompt)
    )
    learner.session.set_prompt(bundled, prompt)
    learner.beam.settings = BeamSettings(2, max_new_tokens=2)
    learner.beam.update_search(learner.session, bundled)
    actions = (
        lambda: None,
        lambda: learner.session.step(bundled),
        lambda: learner.beam.run_on(1),
        lambda: learner.session.back(bundled),
    )
    for action in actions:
        action()
        for language in WRITTEN:
            t, course = Translator(language), CourseState()
            values = [value(learner, t) for value in placeholders.PLACEHOLDERS.values()]
            assert all(isinstance(value, str) and value for value in values)
            for lesson in catalog.lessons(language):
                for number in range(len(lesson.steps)):
                    course.begin(lesson, number)
                    course.check(lesson, learner)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "x"]), inner, max_size=3),
    max_leaves=12,
)


@given(json)
def test_whatever_a_browser_remembered_is_taken_with_care(saved: Any) -> None:
    course = CourseState()
    course.restore_progress(saved, ["a", "b"])
    assert set(course.done) <= {"a", "b"}
    assert all(type(step) is int and 0 <= step < 20 for steps in course.done.values() for step in steps)
    again = CourseState()
    again.restore_progress(course.progress(), ["a", "b"])
    assert again.progress() == course.progress()


@given(st.text(max_size=12) | st.from_regex(r"(01-)?next-token\.\d{0,5}", fullmatch=True))
def test_any_address_opens_a_step_or_none(text: str) -> None:
    course, lessons = CourseState(), catalog.lessons("en")
    steps = course.from_query(QueryParams({"lesson": text}), lessons)
    assert (not steps) == (course.lesson is None)
    assert steps == lessons[0].steps[: len(steps)]
    again = CourseState()
    assert again.from_query(QueryParams(course.to_query()), lessons) == steps
    assert not again.page_pending


SIDES = {  # of the window; not of a token in its text, nor of a number
    "zh_Hant": re.compile("[上下左右]面|[上下]方|[左右]邊|底下|旁邊|最[上下]"),
    "zh_Hans": re.compile("[上下左右]面|[上下]方|[左右]边|底下|旁边|最[上下]"),
    "en": re.compile(r"\b(?:above|below)\b(?! [01]\b)|on the (?:left|right)|the (?:foot|top|bottom) of|at the top\b"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_name_what_they_mean_not_the_side_on_which_it_stands(language: str) -> None:
    """On a phone columns stand below each other, and the sheet may cover what it calls below."""
    found = [
        (lesson.name, number, match[0])
        for lesson in catalog.lessons(language)
        if lesson.name != "left-only"  # about what stands left and right of a gap
        for number, step in enumerate(lesson.steps, 1)
        for match in SIDES[language].finditer(
            " ".join((step.text, step.do, step.then, step.guess.ask if step.guess else ""))
        )
    ]
    assert found == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh-TW.md"])
def test_the_readme_names_the_lesson_and_the_pages_of_all_twenty_concepts(readme: str) -> None:
    listed = {}
    for line in (Path(__file__).parents[3] / readme).read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].isdecimal():
            listed[int(cells[0])] = (cells[2].strip("`"), cells[3].replace("`", "").split(", "))
    taught = {
        concept: (lesson.name, list(dict.fromkeys(step.page for step in lesson.steps)))
        for lesson in catalog.lessons("zh_Hant")
        for concept in lesson.concepts
    }
    assert listed == taught
    assert sorted(taught) == list(range(1, 21))
