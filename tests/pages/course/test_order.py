"""Order of the lessons, names that steps once had, questions, and the glossary."""

from __future__ import annotations

import re

import pytest

from pages.course import catalog, glossary
from pages.course.lesson import PAGES, Lesson
from pages.course.state import CourseState
from pages.i18n.translator import DERIVED, LANGUAGES, WRITTEN, Translator
from pages.session.query_params import QueryParams
from tests.pages.patterns import PATTERNS

FORMER = {  # lessons and their numbers of steps while the file names gave the order
    "01-next-token": 3, "02-loop": 4, "03-chain": 3, "04-greedy": 3, "05-beam": 4, "06-sampling": 4, "07-filters": 4,
    "08-tokens": 3, "09-inside": 4, "10-training": 3, "11-strengths": 2, "12-one-by-one": 2, "13-errors": 2,
    "14-left-only": 2, "15-exposure": 2, "16-uses": 2, "17-families": 3,
}  # fmt: skip
STEPS = [(name, number) for name, count in FORMER.items() for number in range(1, count + 1)]


def opened(link: str, language: str = "en") -> tuple[str | None, int]:
    """Lesson and stage that a link opens."""
    course = CourseState()
    course.from_query(QueryParams({"lesson": link}), catalog.lessons(language))
    return course.lesson, course.step


def test_every_lesson_is_in_one_part_and_the_short_course_is_short() -> None:
    names = [name for part in catalog.parts() for name in part.lessons]
    lessons = {lesson.name: lesson for lesson in catalog.lessons("en")}
    assert len(catalog.parts()) == 4 and list(lessons) == names
    assert all(catalog.part_of(name).name for name in names)
    assert sum(lessons[name].minutes for name in catalog.taste()) <= 15
    assert list(catalog.taste()) == [name for name in names if name in catalog.taste()], "in the order of the course"
    assert 90 <= sum(lesson.minutes for lesson in lessons.values()) <= 120


def test_all_former_steps_open_an_existing_one() -> None:
    assert len(STEPS) == 50
    lessons = {lesson.name: lesson for lesson in catalog.lessons("en")}
    for name, number in STEPS:
        lesson, stage = opened(f"{name}.{number}")
        assert lesson in lessons and stage < len(lessons[lesson].steps), (name, number)
    assert opened("05-beam.2") == ("beam", 1)
    assert opened("06-sampling.3") == ("temperature", 0)
    assert opened("05-beam") == ("beam", 0)
    assert opened("05-beam.9") == ("beam", 3), "a step that never was is the last"
    assert opened("05-beam.x") == (None, 0) == opened("00-nothing.1")


def test_former_steps_take_place_on_the_page_of_their_links() -> None:
    """A link names the page too: `/beam?lesson=05-beam.2`."""
    pages = dict.fromkeys((("07-filters", 4),), "compare")
    pages |= {("05-beam", n): "beam" for n in range(1, 5)} | {("08-tokens", n): "tokens" for n in range(1, 4)}
    pages |= {("09-inside", n): "attention" for n in range(1, 5)} | {("10-training", n): "training" for n in (1, 2, 3)}
    pages |= {(name, n): "uses" for name in ("11-strengths", "16-uses") for n in (1, 2)}
    pages |= {(name, n): "limits" for name in ("13-errors", "14-left-only", "15-exposure") for n in (1, 2)}
    pages |= {("12-one-by-one", 1): "limits", ("17-families", 1): "uses", ("17-families", 3): "quiz"}
    lessons = {lesson.name: lesson for lesson in catalog.lessons("zh_Hant")}
    for name, number in STEPS:
        lesson, stage = opened(f"{name}.{number}", "zh_Hant")
        assert lesson is not None
        assert lessons[lesson].steps[stage].page == pages.get((name, number), "step"), (name, number)


def test_progress_under_former_names_is_kept() -> None:
    course, names = CourseState(), [lesson.name for lesson in catalog.lessons("en")]
    course.restore_progress({"06-sampling": [0, 2], "16-uses": [1], "beam": [3], "nothing": [0]}, names)
    assert course.progress() == {"beam": [3], "sampling": [0], "temperature": [0], "uses": [2]}


def answer(lesson: Lesson, right: bool) -> int:
    """Index of an answer that is right, or wrong."""
    return next(i for i, each in enumerate(lesson.question.answers) if each.right is right)


def test_a_question_is_done_at_the_first_attempt_or_in_the_recap() -> None:
    one, other = catalog.lessons("en")[:2]
    course = CourseState()
    course.begin(one, one.stages - 1)
    assert course.asks(one) and not course.is_answered(one)
    course.answer(one, answer(one, True))
    assert course.is_answered(one) and course.count(one) == 1
    course.answer(other, answer(other, False))
    course.answer(other, answer(other, True))
    assert not course.is_answered(other), "by elimination"
    course.review(other, answer(other, False))
    assert not course.is_answered(other)
    course.review(other, answer(other, True))
    assert course.is_answered(other)
    again = CourseState()
    again.restore_progress(course.progress(), [one.name, other.name])
    assert again.is_answered(one) and again.is_answered(other)


def test_the_right_answer_is_at_no_place_more_often_than_by_chance() -> None:
    for language in LANGUAGES:
        places = [answer(lesson, True) for lesson in catalog.lessons(language)]
        assert all(places.count(at) <= 0.65 * len(places) for at in range(3)), places
        for lesson in catalog.lessons(language):
            lengths = [len(each.text) for each in lesson.question.answers]
            assert len({each.text for each in lesson.question.answers}) == len(lengths) == 3


def test_both_languages_ask_alike() -> None:
    for one, other in zip(*(catalog.lessons(language) for language in WRITTEN), strict=True):
        assert [each.right for each in one.question.answers] == [each.right for each in other.question.answers]


def texts(lesson: Lesson, stage: int) -> list[str]:
    """The texts of a step, or of the question."""
    if stage == len(lesson.steps):
        return [lesson.question.ask, *(each.text + each.says for each in lesson.question.answers)]
    step = lesson.steps[stage]
    return [step.text, step.do, step.then, step.guess.ask if step.guess else ""]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_is_explained_where_the_glossary_says_with_its_twin(language: str) -> None:
    terms = glossary.terms(language)
    assert len(terms) >= 45 and list(terms) == list(glossary.terms("en"))
    other = next(each for each in WRITTEN if each not in (language, DERIVED.get(language)))
    for key, term in terms.items():
        lesson = catalog.lesson(language, term.lesson)
        assert lesson is not None and 0 <= term.stage < len(lesson.steps), key
        text = lesson.steps[term.stage].text + lesson.steps[term.stage].then
        bold = [glossary.find(name, language) for name in re.findall(r"\*\*([^*]+)\*\*", text)]
        assert term in bold, f"{key} is not in bold in {term.where}"
        twins = (term.twin, *glossary.terms(other)[key].forms)
        assert any(twin.lower() in text.lower() for twin in twins), f"{key} without {term.twin} in {term.where}"
        assert term.where == glossary.terms(other)[key].where


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_term_is_in_bold_once_and_every_mark_names_a_term(language: str) -> None:
    explained: list[str] = []
    for lesson in catalog.lessons(language):
        for stage in range(lesson.stages):
            for text in texts(lesson, stage):
                for bold, name in glossary.MARKED.findall(text):
                    term = glossary.find(bold or name, language)
                    assert term or bold, f"{lesson.name}: [{name}] is in no glossary"
                    explained += [term.key] if term and bold else []
    assert sorted(explained) == sorted(glossary.terms(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_terms_of_a_text_lead_to_their_steps(language: str) -> None:
    t = Translator(language)
    lesson = catalog.lessons(language)[0]
    found = glossary.used([lesson.steps[0].text], t)
    assert {"token", "prompt"} <= {entry["key"] for entry in found.values()}
    assert all(lesson.title in entry["met"] for entry in found.values())
    assert lesson.steps[0].page in PAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_lessons_have_none_of_the_patterns_that_a_reader_stumbles_over(language: str) -> None:
    found = [
        (lesson.name, stage + 1, match[0])
        for lesson in catalog.lessons(language)
        for stage in range(lesson.stages)
        for text in [lesson.title, lesson.lead, *texts(lesson, stage)]
        for match in PATTERNS[language].finditer(text)
    ]
    found += [
        (key, 0, match[0]) for key, term in glossary.terms(language).items()
        for match in PATTERNS[language].finditer(term.means)
    ]  # fmt: skip
    assert found == []


def test_chinese_paragraphs_have_at_most_one_colon() -> None:
    for lesson in catalog.lessons("zh_Hant"):
        for stage in range(lesson.stages):
            for text in texts(lesson, stage):
                for paragraph in re.split(r"\n\s*\n", text):
                    assert paragraph.count("：") <= 1, (lesson.name, stage + 1, paragraph)
