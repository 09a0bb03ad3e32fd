"""Links as chats and mail programs pass them on: with a mark behind, wrapped, encoded twice, with other parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.serving import model_registry
from engine.trace.trace import Trace
from pages.course.state import CourseState
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from tests.pages.visit import follow_link, state_of

MARKS = ["。", "，", ".", ")", "」", "！", "?", "…", "»", "】", "؟", "।", "'", '"', "\u200b", "\n", "  ", ").", "。）"]


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_behind_a_link_leads_nowhere_else(mark: str) -> None:
    assert QueryParams({"lesson": f"05-beam.2{mark}"}).text("lesson") == "05-beam.2"
    assert QueryParams({"row": f"12{mark}"}).whole("row", 1, 20, 0) == 12
    assert QueryParams({"head": f"3.5{mark}"}).pair("head") == (3, 5)


@given(st.from_regex(r"[A-Za-z0-9_.-]{0,30}[A-Za-z0-9_-]", fullmatch=True))
def test_a_value_of_ours_is_left_as_it_is(value: str) -> None:
    assert QueryParams({"t": value}).text("t") == value
    assert QueryParams({"t": f"{value[:5]}\n {value[5:]}"}).text("t") == value


@pytest.mark.parametrize("value", ["05-beam.2。", "05-beam%2E2", "05-beam%252E2", "05-\nbeam.2"])
def test_a_lesson_opens_at_the_step_that_was_meant(value: str) -> None:
    app = follow_link({"lesson": value, "utm_source": "line"}, "beam")
    assert not app.exception and not app.warning
    course = state_of(app, CourseState)
    assert (course.lesson, course.step) == ("beam", 1)


def test_a_lesson_that_does_not_exist_is_told() -> None:
    app = follow_link({"lesson": "99-nothing.2"}, "beam")
    assert not app.exception and len(app.warning) == 1
    assert state_of(app, CourseState).lesson is None


@pytest.mark.parametrize("mark", ["。", ")", "\n"])
def test_a_text_opens_with_a_mark_behind_it(mark: str) -> None:
    model = model_registry.request().result()
    trace = Trace.start(model.name, model.encode("今天天氣真"), engine.Settings(), "greedy", 3, model.fingerprint)
    app = follow_link({"t": engine.encode_trace(trace) + mark})
    assert not app.exception and not app.warning
    assert state_of(app, TextState).trace == trace
