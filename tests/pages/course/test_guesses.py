"""Guesses: what is read of what was typed, the true value beside it, and when a guess is taken."""

from __future__ import annotations

import doctest
import math
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.decoding.beam_types import BeamSettings
from engine.experiments.decoding_speed import DecodingSpeed
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.course import catalog, guesses, outcomes, placeholders
from pages.course.learner import Learner
from pages.course.lesson import Guess, Lesson
from pages.course.state import CourseState
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator
from tests.pages.course.test_lessons import make_learner

PERCENT, COUNT, NUMBER, TOKEN = (
    Guess("?", kind, value)
    for kind, value in (("percent", "best_p"), ("count", "kept"), ("number", "perplexity"), ("token", "best"))
)
CHOICE = Guess("?", "choice", "written_twice", (("same", "A"), ("other", "B")))
FULL_WIDTH = {ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789,.%"}


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


def lesson_of(name: str, language: str = "en") -> Lesson:
    found = catalog.lesson(language, name)
    assert found is not None
    return found


def begin(name: str, number: int, language: str = "en") -> tuple[CourseState, Lesson]:
    course, lesson = CourseState(), lesson_of(name, language)
    course.begin(lesson, number - 1)
    return course, lesson


def sentence(course: CourseState, lesson: Lesson, language: str) -> dict[str, str] | None:
    """Guess and true value as they are shown, None where they are not."""
    guess, notes = lesson.steps[course.step].guess, course.notes_of(lesson)
    assert guess is not None
    shown = guesses.comparison(guess, notes.guess, notes.truth, Translator(language))
    assert shown is None or "{guess}" in shown["sentence"]
    return shown and shown["values"]


def test_examples() -> None:
    assert doctest.testmod(guesses) == (0, 3)


@given(
    st.decimals(0, 100, places=2),
    st.sampled_from(["{}", "{}%", "{} %", " {}\u00a0% ", "about {}", "大概 {} % 吧"]),
    st.booleans(),
    st.booleans(),
)
def test_a_percentage_is_read_however_it_is_typed(value: Any, form: str, comma: bool, wide: bool) -> None:
    digits = str(value).replace(".", ",") if comma else str(value)
    text = form.format(digits)
    assert guesses.read(text.translate(FULL_WIDTH) if wide else text, PERCENT) == pytest.approx(float(value) / 100)


@given(st.integers(0, 10**9), st.sampled_from(["{}", "{:,}", "第 {} 名", "{:,} tokens"]), st.booleans())
def test_a_whole_number_is_read_with_and_without_separators(value: int, form: str, wide: bool) -> None:
    text = form.format(value)
    assert guesses.read(text.translate(FULL_WIDTH) if wide else text, COUNT) == value


@given(st.text(max_size=60) | st.text("0123456789０９.,，。％%-− 萬e", max_size=12))
def test_whatever_is_typed_is_a_number_in_range_or_none(text: str) -> None:
    text = guesses.clean(text)
    text.encode("utf-8")
    assert len(text) <= guesses.MAX_CHARACTERS and guesses.clean(text) == text
    for guess, most in ((PERCENT, 1.0), (COUNT, 1e12), (NUMBER, 1e12)):
        value = guesses.read(text, guess)
        assert value is None or (isinstance(value, float) and math.isfinite(value) and 0 <= value <= most)
        digits = [c for c in unicodedata.normalize("NFKC", text) if c.isdecimal()]
        assert value is None or digits
        for language in WRITTEN:
            assert guesses.field(guess, text, Translator(language))["made"] is (value is not None)
    assert guesses.read(text, TOKEN) == (text or None)
    assert guesses.read(text, CHOICE) == (text if text in ("same", "other") else None)


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("temperature", [0.5, 0.6])
def test_the_true_value_is_the_models(bundled: Model, language: str, temperature: float) -> None:
    course, lesson = begin("temperature", 1, language)
    learner, t = make_learner(bundled), Translator(language)
    assert not course.check(lesson, learner)
    course.guess(lesson, " ０．４ ")
    assert not course.check(lesson, learner)
    assert sentence(course, lesson, language) is None, "nothing has come out yet"
    learner.session.settings = Settings(temperature=temperature)
    assert course.check(lesson, learner)
    logits = (
        model_registry.request().result().distribution(learner.trace.token_ids()).logits.astype(float) / temperature
    )
    drawn = float(1 / sum(math.exp(value - logits.max()) for value in logits))
    assert placeholders.PLACEHOLDERS["best_drawn"](learner, t) == t.percent(drawn)
    told = {"guess": "0.4", "truth": f"{temperature:g}"}
    assert sentence(course, lesson, language) == told
    learner.session.settings = Settings(temperature=1.5)
    assert course.check(lesson, learner), "it stays done"
    assert sentence(course, lesson, language) == told
    course.begin(lesson, 1)
    course.begin(lesson, 0)
    assert sentence(course, lesson, language) is not None, "kept while other steps were open"
    assert sentence(course, lesson_of("temperature", "en"), "en") is not None, "in the other language too"


def test_what_came_out_of_the_filter_comparison_is_told_where_one_language_was_used(bundled: Model) -> None:
    """Its boxes have names with the language."""
    course, lesson = begin("filters", 4, "zh_Hans")
    boxes = {"compare flat zh_Hans": "我最喜歡的", "compare peaked zh_Hans": "從前從前，有一"}
    learner = make_learner(bundled, **boxes)
    assert not course.check(lesson, learner)
    course.guess(lesson, "3")
    learner = make_learner(bundled, **boxes | {"compare flat zh_Hans": "今天天氣真"})
    assert course.check(lesson, learner)
    for language in LANGUAGES:
        told = sentence(course, lesson_of("filters", language), language)
        assert told is not None and int(told["truth"]) > 0


def test_a_guess_is_neither_needed_nor_taken_late(bundled: Model) -> None:
    course, lesson = begin("temperature", 1)
    learner = make_learner(bundled)
    assert not course.check(lesson, learner)
    learner.session.settings = Settings(temperature=0.5)
    assert course.check(lesson, learner), "done without a guess"
    course.guess(lesson, "99")
    assert course.check(lesson, learner)
    assert course.notes_of(lesson).guess == "" and sentence(course, lesson, "en") is None


def test_a_guess_can_be_changed_until_then_and_need_not_be_one(bundled: Model) -> None:
    course, lesson = begin("temperature", 1)
    learner = make_learner(bundled)
    for text in ("12", "no idea"):
        course.guess(lesson, text)
        assert not course.check(lesson, learner)
    learner.session.settings = Settings(temperature=0.5)
    assert course.check(lesson, learner)
    assert sentence(course, lesson, "en") is None


@pytest.mark.parametrize(("name", "language"), [("beam", language) for language in WRITTEN])
def test_a_choice_is_settled_by_the_scores(bundled: Model, name: str, language: str) -> None:
    course, lesson = begin(name, 3, language)
    prompt = lesson.steps[0].prompt
    assert prompt is not None
    learner = make_learner(bundled, prompt)
    learner.beam.settings = BeamSettings(3, max_new_tokens=6)
    learner.beam.update_search(learner.session, bundled)
    course.guess(lesson, "same")
    assert not course.check(lesson, learner)
    finish(learner)
    assert course.check(lesson, learner)
    ids = bundled.read_prompt(prompt)
    scores = [engine.beam_search(bundled, ids, width=width, max_new_tokens=6).sequences[0].score for width in (3, 1)]
    expected = "same" if abs(scores[0] - scores[1]) < 0.005 else "beam" if scores[0] > scores[1] else "greedy"
    guess = lesson.steps[2].guess
    assert guess is not None
    texts = dict(guess.options)
    assert sentence(course, lesson, language) == {"guess": texts["same"], "truth": texts[expected]}


def finish(learner: Learner) -> None:
    learner.beam.run()
    while learner.beam.run_on(0.1):
        pass


def test_texts_are_the_same_until_one_is_another(bundled: Model) -> None:
    learner = make_learner(bundled)
    session = learner.session
    for _ in range(2):
        session.restart(bundled)
        for _ in range(3):
            session.step(bundled)
    assert outcomes.OUTCOMES["written_twice"][1](learner) == "same"
    session.back(bundled)
    session.pick(bundled, session.turn, bundled.distribution(learner.trace.token_ids()).top(9)[8].token_id)
    assert outcomes.OUTCOMES["written_twice"][1](learner) == "other"


def test_a_word_is_right_without_its_space_and_its_capitals() -> None:
    t = Translator("en")
    for typed, truth, right in (("Wind", "␣wind", True), ("wind", "␣window", False), ("．", ".", True)):
        shown = guesses.comparison(TOKEN, typed, {"en": truth}, t)
        assert shown is not None and (shown["sentence"] == t("course.guess.right_words")) is right


def test_what_was_measured_on_the_limits_page(model: Model) -> None:
    learner, t = make_learner(model, "the cat"), Translator("en")
    limits = learner.limits
    read = lambda *names: [placeholders.value(name, learner, t) for name in names]  # noqa: E731
    names = ("slower", "slip", "slip_p", "slip_perplexity", "gap", "middle_length", "middle_way", "middle_loss")
    limits.ready(model)
    assert set(read(*names)) == {placeholders.NO_VALUE}
    ids = model.read_prompt("the cat")
    limits.runs["sequential"].begin("the cat", lambda: DecodingSpeed(model, ids, (4, 8), 1))
    limits.force_token(learner.session, model, "the cat", 41)
    limits.fill_gap(model, "the ___ sat", ("cat", "dog"))
    texts = ("the cat sat on the mat and the dog sat on the mat and then the cat ran to the dog",) * 2
    limits.measure_exposure_bias(model, texts, True, 4, 1)
    assert set(read(*names)) == {placeholders.NO_VALUE}, "they are running"
    for run in limits.runs.values():
        while run.go_on(0.5):
            pass
    last = [row for row in limits.runs["sequential"].work.times if row.at_once and row.cached][-1]
    left = [model.score(model.read_prompt(f"the {word}")).log_probabilities for word in ("cat", "dog")]
    likelier = max(range(2), key=lambda i: sum(value or 0.0 for value in left[i]))
    exposure = limits.runs["exposure"].work
    assert read(*names[:3]) == [
        t.number(last.cached / last.at_once),
        model.pieces([*ids, 41])[-1],
        t.percent(float(model.distribution(ids).raw[41])),
    ]
    assert float(read("slip_perplexity")[0].replace(",", "")) >= 1
    assert read(*names[4:]) == [
        ("cat", "dog")[likelier], "4", t("settings.greedy"), t.number(exposure.loss("own").mean, 2)
    ]  # fmt: skip
