"""Lessons that visitors write: codec and validation, the draft, opening one by a link, damaged links and files."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from engine.trace.link_codec import encode_text
from engine.trace.trace import MAX_SEED
from pages.course import own_lesson, own_tasks, placeholders, sheet_data, tasks
from pages.course.lesson import PAGES
from pages.course.own_lesson import MAX_LINK, MAX_STEPS, MAX_TEXTS, MAX_TITLE, OWN, OwnLesson, OwnLessonError, OwnStep
from pages.course.own_state import OwnLessonState, captured, instruction
from pages.course.state import CourseState
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator, sentences
from pages.session.query_params import DRAFT, OWN_LESSON, QueryParams
from pages.session.text_state import TextState
from pages.shell.address import AddressState
from tests.pages.course.test_lessons import make_learner
from tests.pages.visit import follow_link, state_of, visit

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.just("\n"))


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


@st.composite
def steps(draw: st.DrawFn) -> OwnStep:
    page = draw(st.sampled_from(PAGES))
    offered = draw(st.sampled_from(own_tasks.OFFERED[page]))
    numbers = (
        st.integers(int(offered.low), int(offered.high))
        if isinstance(offered.low, int)
        else st.floats(offered.low, offered.high).map(lambda value: round(value, 1))
    )
    settings: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "temperature": st.floats(0, 2), "top_k": st.integers(0, 50), "seed": st.integers(0, MAX_SEED),
                "strategy": st.sampled_from(("sample", "greedy")),
            },
        )
    )  # fmt: skip
    texts = {name: draw(TEXT)[:most] for name, most in MAX_TEXTS.items()}
    return OwnStep(page, offered.condition(draw(numbers)), draw(TEXT)[:99], tuple(settings.items()), **texts)


LESSONS = st.builds(OwnLesson, TEXT.map(lambda text: text[:MAX_TITLE]), st.lists(steps(), max_size=4).map(tuple))


@given(lesson=LESSONS)
def test_a_lesson_comes_back_from_its_file_and_its_link(lesson: OwnLesson) -> None:
    assert own_lesson.from_json(own_lesson.to_json(lesson)) == lesson
    assert own_lesson.from_json(b"\xef\xbb\xbf" + own_lesson.to_json(lesson).encode()) == lesson
    code = own_lesson.encode(lesson)
    if code:
        assert own_lesson.decode(code) == lesson and re.fullmatch(r"[A-Za-z0-9_-]+", code) and len(code) <= MAX_LINK


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@given(lesson=LESSONS.filter(lambda lesson: bool(lesson.steps)), data=st.data(), junk=JSON)
def test_whatever_is_wrong_in_a_file_is_refused_and_nothing_else_is_raised(
    lesson: OwnLesson, data: st.DataObject, junk: Any
) -> None:
    raw = json.loads(own_lesson.to_json(lesson))
    place = data.draw(st.sampled_from([raw, raw["steps"][0], raw["steps"][0].get("settings", raw)]))
    place[data.draw(st.sampled_from([*place, "more"]))] = junk
    for wrong in (json.dumps(raw), json.dumps(junk), json.dumps(raw)[:-3], str(junk)):
        with suppress(OwnLessonError):
            read = own_lesson.from_json(wrong)
            assert own_lesson.from_json(own_lesson.to_json(read)) == read
            assert all(len(step.text) <= MAX_TEXTS["text"] and step.page in PAGES for step in read.steps)


@given(code=st.text(max_size=60) | st.text("abcXYZ019_-", min_size=6, max_size=80))
def test_a_damaged_code_is_refused(code: str) -> None:
    with pytest.raises(OwnLessonError):
        own_lesson.decode(code)


STEP = OwnStep(
    "step", ("written", 3), "今天天氣真", (("temperature", 0.5), ("seed", 9)), "**Look** at {best} {nothing}."
)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"page": "nowhere"}, "own_lesson"),
        ({"page": ["step"]}, "own_lesson"),
        ({"task": ["written", 10**9]}, "own_lesson"),
        ({"task": ["written", True]}, "own_lesson"),
        ({"task": ["lens", True]}, "own_lesson"),
        ({"task": ["at_most", {"temperature": 0.5, "top_k": 1}]}, "own_lesson"),
        ({"settings": {"temperature": -1}}, "own_lesson"),
        ({"settings": {"temperature": float("nan")}}, "own_lesson"),
        ({"settings": {"lang": "en"}}, "own_lesson"),
        ({"settings": {"seed": -1}}, "own_lesson"),
        ({"text": "x" * (MAX_TEXTS["text"] + 1)}, "own_lesson_size"),
        ({"text": "a\x00"}, "own_lesson"),
        ({"prompt": 3}, "own_lesson"),
    ],
)
def test_what_a_step_may_not_have(change: dict[str, Any], code: str) -> None:
    raw = json.loads(own_lesson.to_json(OwnLesson("T", (STEP,))))
    own_lesson.from_json(json.dumps(raw))
    raw["steps"][0] |= change
    with pytest.raises(OwnLessonError) as refused:
        own_lesson.from_json(json.dumps(raw))
    assert refused.value.code == code


def test_sizes_and_versions() -> None:
    for raw, code in (
        ({"lesson": 2}, "own_lesson_version"),
        ({"lesson": 1, "steps": [{}] * (MAX_STEPS + 1)}, "own_lesson_size"),
    ):
        with pytest.raises(OwnLessonError) as refused:
            own_lesson.from_json(json.dumps(raw))
        assert refused.value.code == code
    with pytest.raises(OwnLessonError):
        own_lesson.from_json(b"[" * 90_000)
    random = "".join(chr(0x4E00 + (i * 7919) % 20_000) for i in range(800))
    long = OwnLesson(
        "T", (replace(STEP, text=random),) * 1 + tuple(replace(STEP, text=random[::-1][:700]) for _ in "ab")
    )
    assert own_lesson.encode(OwnLesson("T", (replace(STEP, text=random), replace(STEP, text=random[::-1])))) == ""
    assert own_lesson.from_json(own_lesson.to_json(long)) == long


def test_every_task_that_is_offered_exists_and_has_words() -> None:
    assert set(own_tasks.OFFERED) == set(PAGES)
    for page, offered in own_tasks.OFFERED.items():
        for each in offered:
            assert each.name in tasks.TASKS
            condition = each.condition(each.usual)
            assert own_tasks.find(page, *condition) == (each, each.usual)
            for language in LANGUAGES:
                assert instruction(OwnStep(page, condition), Translator(language))
    keys = {each.key for offered in own_tasks.OFFERED.values() for each in offered}
    assert keys == {
        key.removeprefix("own_lesson.task.") for key in sentences("en") if ".task." in key and "own_" in key
    }


def test_a_draft_is_moved_changed_and_shortened() -> None:
    own = OwnLessonState()
    for number in range(1, MAX_STEPS + 3):
        own.add(replace(STEP, text=str(number)))
    assert len(own.draft.steps) == len(own.keys) == MAX_STEPS
    first, second = own.keys[:2]
    own.move(first, -1)
    own.move(first, 1)
    assert [step.text for step in own.draft.steps[:2]] == ["2", "1"] and own.keys[:2] == [second, first]
    own.change(first, do="Now")
    assert own.draft.steps[1].do == "Now"
    own.remove(second)
    own.remove(second)
    assert own.draft.steps[0].text == "1" and len(own.keys) == len(set(own.keys)) == MAX_STEPS - 1
    own.read(b"nothing")
    assert own.problem is not None and len(own.keys) == MAX_STEPS - 1
    own.read(own_lesson.to_json(OwnLesson("T", (STEP,))).encode())
    assert own.problem is None and own.draft == OwnLesson("T", (STEP,)) and first not in own.keys


def test_the_sheet_of_a_shared_lesson(bundled: Model) -> None:
    """Unknown placeholders lose their braces; there is no question, and nothing of it is saved in the browser."""
    t, own, course = Translator("en"), OwnLessonState(opened=OwnLesson("", (STEP, STEP))), CourseState()
    lesson = own.lesson(t)
    assert lesson is not None and lesson.stages == 2 and lesson.title == t("own_lesson.untitled")
    assert course.begin(lesson, 9) == lesson.steps and course.step == 1
    course.begin(lesson, 0)
    learner = make_learner(bundled)
    assert not course.check(lesson, learner) and not course.asks(lesson)
    step = lesson.steps[0]
    assert step.text == "**Look** at {best} nothing." and step.do == t("own_lesson.task.written", n=3)
    data = sheet_data.head(course, lesson, t) | sheet_data.current_step(course, lesson, step, False, True, learner, t)
    assert data["values"] == {"best": placeholders.value("best", learner, t)} and not data["asks"]
    for _ in range(3):
        learner.session.step(bundled)
    assert course.check(lesson, learner) and course.progress() == {}
    assert own.open_link(QueryParams({OWN_LESSON: own_lesson.encode(OwnLesson("Other", (STEP,)))}))
    assert not own.open_link(QueryParams({OWN_LESSON: own_lesson.encode(OwnLesson("Other", (STEP,)))}))
    course.forget(OWN)
    assert course.lesson is None and course.done == {}, "another lesson begins without ticks"


@pytest.mark.parametrize("page", PAGES)
def test_the_present_state_of_a_page_becomes_a_step(page: str, bundled: Model) -> None:
    learner = make_learner(bundled, "今天天氣真")
    learner.session.settings = Settings(temperature=0.5, top_k=7)
    learner.session.step(bundled)
    step = captured(page, learner)
    assert own_lesson.from_json(own_lesson.to_json(OwnLesson("", (step,)))).steps == (step,)
    assert dict(step.settings) == {"temperature": 0.5, "top_k": 7, "strategy": "sample", "seed": learner.session.seed}
    if page in ("step", "beam", "transformer", "attention"):
        assert step.prompt == bundled.text(learner.trace.token_ids())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_link_opens_the_lesson_with_its_text_and_settings(language: str) -> None:
    shared = OwnLesson("Mine", (STEP, replace(STEP, page="attention", task=("row", True), prompt="")))
    app = follow_link({"lesson": "own.1", OWN_LESSON: own_lesson.encode(shared), "lang": language})
    assert not app.exception and not app.warning
    session = state_of(app, TextState)
    assert (session.prompt, session.settings.temperature, session.seed) == ("今天天氣真", 0.5, 9)
    assert state_of(app, CourseState).lesson == OWN
    query = state_of(app, AddressState).written
    assert query is not None
    assert own_lesson.decode(query[OWN_LESSON]) == shared and query["lesson"] == "own.1", "a reload keeps it"
    again = follow_link({name: query[name] for name in ("t", OWN_LESSON)} | {"lesson": "own.2"}, "attention")
    assert state_of(again, CourseState).step == 1 and not again.exception


@pytest.mark.parametrize(
    "code", ["", "damaged", encode_text("{}", ""), encode_text('{"lesson":1,"title":"T","steps":[]}', "")]
)
def test_a_link_without_a_lesson_gets_a_sentence(code: str) -> None:
    app = follow_link({"lesson": "own.1", "lang": "en"} | ({OWN_LESSON: code} if code else {}))
    assert not app.exception and state_of(app, CourseState).lesson is None
    assert [warning.value for warning in app.warning] == [Translator("en")("address.own_lesson")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_editor_keeps_what_is_written_in_its_address(language: str) -> None:
    app, t = visit("write", language), Translator(language)
    assert not app.exception
    app.button(key="own_add").click().run()
    [key] = state_of(app, OwnLessonState).keys
    app.text_input(key="own_title").set_value("<b>Mine</b>").run()
    app.text_area(key=f"own_text {key}").set_value("Look.").run()
    app.selectbox(key=f"own_task {key}").set_value("hand").run()
    app.number_input(key=f"own_number {key} hand").set_value(20).run()
    assert not app.exception
    draft = state_of(app, OwnLessonState).draft
    assert draft.title == "<b>Mine</b>" and draft.steps[0].text == "Look." and draft.steps[0].task == ("hand", 0.2)
    query = state_of(app, AddressState).written
    assert query is not None
    assert state_of(follow_link(query, "write"), OwnLessonState).draft == draft
    damaged = follow_link({"lang": language, DRAFT: "damaged"}, "write")
    assert not damaged.exception and [each.value for each in damaged.warning] == [t("address.unread")]
    app.button(key=f"own_remove {key}").click().run()
    assert state_of(app, OwnLessonState).keys == [] and t(
        "own_lesson.empty", make=t("own_lesson.make"), share=t("share.title")
    ) in [info.value for info in app.info]


def test_problems_have_sentences() -> None:
    for code in ("own_lesson", "own_lesson_size", "own_lesson_version"):
        assert issubclass(OwnLessonError, EngineError) and f"error.{code}" in sentences("zh_Hant")
    assert QueryParams({OWN_LESSON: own_lesson.encode(OwnLesson("", (STEP,)))}).lost_text is False


@pytest.mark.parametrize("language", WRITTEN)
def test_a_text_that_is_too_long_stays_in_its_box_with_a_sentence(language: str) -> None:
    app, t = visit("write", language), Translator(language)
    app.button(key="own_add").click().run()
    [key] = state_of(app, OwnLessonState).keys
    app.text_area(key=f"own_text {key}").set_value("Look.").run()
    app.text_area(key=f"own_text {key}").set_value("x" * 1_000).run()
    assert app.text_area(key=f"own_text {key}").value == "x" * 1_000
    assert [each.value for each in app.error] == [t("own_lesson.too_long", n="1,000", most="800", by="200")]
    assert state_of(app, OwnLessonState).draft.steps[0].text == "Look."
    app.text_area(key=f"own_text {key}").set_value("x" * 800).run()
    assert not app.error and state_of(app, OwnLessonState).draft.steps[0].text == "x" * 800


def test_every_line_of_a_text_is_a_paragraph_of_the_sheet() -> None:
    step = OwnStep("step", ("written", 1), text="one\ntwo")
    [shown] = OwnLesson("", (step,)).as_lesson(("do",), "untitled").steps
    assert shown.text == "one\n\ntwo"
