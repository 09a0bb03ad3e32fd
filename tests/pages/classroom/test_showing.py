"""What a teacher shows outside the questions: page and links, where a member is led, and what nobody may open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.classroom import shared
from engine.classroom.classroom import Classroom
from engine.classroom.records import Room
from engine.classroom.sqlite_store import SqliteStore
from pages.classroom.showing import MAX_TITLE, MOST_HANDED, destination, lesson_link, link_of
from pages.classroom.state import ClassroomState
from pages.session.prompt_list import MAX_PROMPTS
from tests.pages.classroom.test_state import joined, opened

BEAM = "beam?t=abc&width=5"


@pytest.fixture(autouse=True)
def school(monkeypatch: pytest.MonkeyPatch) -> Iterator[Classroom]:
    """A classroom of its own for each test."""
    store = SqliteStore()
    school = Classroom(store)
    monkeypatch.setattr(shared, "_classrooms", {":memory:": school})
    yield school
    store.close()


def room_of(state: ClassroomState) -> Room:
    room = state.room()
    assert room is not None
    return room


def test_a_link_has_the_page_and_nothing_that_is_a_visitors_own() -> None:
    assert link_of("beam", {"t": "a b", "lang": "en", "width": "5"}) == "beam?t=a+b&width=5"
    lesson = {"lesson": "05-beam.2", "own": "x", "t": "abc", "lang": "en"}
    assert link_of("beam", lesson) == "beam?t=abc", "what a teacher does in a lesson is not done by who looks on"
    assert lesson_link("beam", lesson) == "beam?lesson=05-beam.2&own=x" and lesson_link("beam", {"t": "abc"}) == ""
    assert link_of("classroom", {"room": "K7M4P", "t": "x"}) == "classroom" and link_of("step", {}) == "step"
    assert destination("beam?t=a+b&width=5") == ("beam", {"t": ["a b"], "width": ["5"]})
    assert destination("step") == ("step", {}) and destination("classroom") == ("classroom", {})
    for hostile in ("", "https://example.org/beam", "//beam", "../beam", "javascript:x", "status", "first", "beam/x"):
        assert destination(hostile) is None


def test_a_member_is_led_once_to_each_page_and_may_stay_behind() -> None:
    teacher = opened()
    ann = joined(teacher, "Ann")
    assert ann.waiting_page(room_of(ann)) == ""
    teacher.lead(True, "classroom")
    teacher.show_page(BEAM)
    assert room_of(ann).page == BEAM and ann.waiting_page(room_of(ann)) == BEAM
    ann.led_to = BEAM
    assert ann.waiting_page(room_of(ann)) == ""
    ann.go_along(False)
    teacher.show_page("tokens?t=abc")
    assert ann.waiting_page(room_of(ann)) == ""
    ann.go_along(True)
    assert ann.waiting_page(room_of(ann)) == "tokens?t=abc", "at once, and not only to the next one"
    assert joined(teacher, "Bob").waiting_page(room_of(ann)) == "tokens?t=abc", "who comes late is led as well"
    back = ClassroomState()
    back.come_back("member", ann.code, ann.key, "")
    back.stay()
    assert back.waiting_page(room_of(back)) == "", "who comes back on another page stays there"
    teacher.show_page(BEAM)
    assert back.waiting_page(room_of(back)) == BEAM
    teacher.lead(False, BEAM)
    assert back.waiting_page(room_of(back)) == "" and teacher.waiting_page(room_of(teacher)) == ""


def test_only_the_window_whose_page_changes_shows_it() -> None:
    one = opened()
    two = ClassroomState()
    two.hold(one.code, one.key, "")
    one.lead(True, "step?t=one")
    two.read_room(room_of(two))
    assert two.leading
    two.show_page("beam?t=old")
    assert room_of(one).page == "step?t=one", "the other window has shown nothing yet"
    two.show_page("beam?t=new")
    assert room_of(one).page == "beam?t=new"
    two.lead(False, "beam?t=new")
    one.show_page("step?t=two")
    assert room_of(one).page == "", "it was ended in the other window"


def test_links_are_handed_out_once_and_in_order_and_can_be_taken_back() -> None:
    teacher = opened()
    ann = joined(teacher, "Ann")
    for n in range(MOST_HANDED + 3):
        teacher.hand_out(f"title {n}\u202e", f"step?t={n}")
    handed = room_of(ann).handed
    assert handed == tuple((f"title {n}", f"step?t={n}") for n in range(3, MOST_HANDED + 3))
    teacher.hand_out("again", "step?t=3")
    assert room_of(ann).handed == (*handed[1:], ("again", "step?t=3"))
    teacher.take_back("step?t=3")
    assert room_of(ann).handed == handed[1:]
    teacher.hand_out("bad", "https://example.org")
    ann.hand_out("by a member", "step?t=x")
    ann.take_back("step?t=4")
    ann.lead(True, "step?t=x")
    assert room_of(ann).handed == handed[1:] and room_of(ann).page == ""
    ann.open_handed("step?t=never")
    assert ann.to_open == ""
    ann.open_handed("step?t=5")
    assert ann.to_open == "step?t=5" and ann.along
    teacher.lead(True, BEAM)
    ann.open_handed("step?t=6")
    assert not ann.along and ann.waiting_page(room_of(ann)) == "", "it is not taken out of the member's hands"


def test_prompts_are_handed_out_as_one_link_that_offers_them() -> None:
    teacher = opened()
    teacher.hand_out_prompts("  今天天氣真 \n\n one & two | three\n今天天氣真\n", "Prompts ({}): ".format)
    [(title, link)] = room_of(teacher).handed
    assert title == "Prompts (2): 今天天氣真 · one & two | three"
    assert destination(link) == ("step", {"prompt": ["今天天氣真", "one & two | three"]})
    teacher.hand_out_prompts(" \n", str)
    teacher.hand_out_prompts("\n".join(map(str, range(100))), str)
    assert [each[1].count("prompt=") for each in room_of(teacher).handed] == [2, MAX_PROMPTS]
    teacher.hand_out("x" * 1_000, "step?t=long")
    assert room_of(teacher).handed[-1][0] == "x" * MAX_TITLE + "…"
