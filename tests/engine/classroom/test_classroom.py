"""Rooms within the host's limits: opening, joining, holding, answering, revealing, ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.classroom import code_guesses, codes
from engine.classroom.classroom import Classroom, Limits
from engine.classroom.comparison import Result
from engine.classroom.question import Question, question_of
from engine.classroom.records import Answer, Round
from engine.classroom.store import Store
from engine.classroom.tally import score_class
from engine.errors import EngineError
from engine.serving import config, metrics

QUESTION = Question("bundled", (1, 2), "text", ((3, "a"),))
RESULT = Result((), (), (3,), (), score_class([], 1.0, 8, 2.0))


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(metrics, "now", clock)
    return clock


@pytest.fixture
def school(store: Store, clock: Clock) -> Classroom:
    return Classroom(store, lambda: Limits(rooms=2, members=3, minutes=10), clock)


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(EngineError) as refused:
        action()
    return refused.value.code


def test_a_teacher_holds_the_room_by_a_secret_of_which_only_the_hash_is_stored(school: Classroom) -> None:
    room, secret = school.open_room(named=True)
    assert school.held_by(room.code.lower(), secret, "v") == room
    assert secret not in repr(school.store.room(room.code))
    other = school.open_room(named=True)
    assert code_of(lambda: school.held_by(room.code, other.secret, "v")) == "room_none"
    assert code_of(lambda: school.open_room(True)) == "room_limit"
    closed = Classroom(school.store, lambda: Limits(rooms=0))
    assert code_of(lambda: closed.open_room(True)) == "room_off"


def test_a_room_ends_by_itself_and_makes_room_for_another(school: Classroom, clock: Clock) -> None:
    room, secret = school.open_room(named=False)
    key = school.join(room.code, "", "v").key
    school.open_room(named=False)
    clock.now += 10 * 60
    assert school.find(room.code) is None and school.member(room.code, key) is None
    assert code_of(lambda: school.join(room.code, "", "v")) == "room_none"
    assert code_of(lambda: school.held_by(room.code, secret, "v")) == "room_none"
    assert code_of(lambda: school.ask(room.code, QUESTION)) == "room_none"
    school.open_room(named=False)
    assert school.store.room(room.code) is None and school.store.members(room.code) == [], "nothing is kept"


def test_members_are_the_same_by_their_key_until_they_are_removed(school: Classroom) -> None:
    room, _ = school.open_room(named=True)
    ann, bob = school.join(room.code, " Ann\u202e ", "v"), school.join(room.code, "小明", "v")
    assert ann.member.name == "Ann" and school.member(room.code, ann.key) == ann.member
    assert ann.key not in repr(school.store.members(room.code))
    for key in (
        "",
        ".",
        "1",
        "1.",
        "x.y",
        f"2.{ann.key[2:]}",
        f"1.{bob.key[2:]}",
        "9" * 200 + ".x",
        "²." + ann.key[2:],
    ):
        assert school.member(room.code, key) is None, key
    assert code_of(lambda: school.join(room.code, "ann", "v")) == "room_name_taken"
    assert code_of(lambda: school.join(room.code, " \u200b!? ", "v")) == "room_name"
    assert code_of(lambda: school.join(room.code, "sh1t", "v")) == "room_word"
    school.store.change_room(room.code, words=("小華",))
    assert code_of(lambda: school.join(room.code, "我是小華", "v")) == "room_word"
    school.join(room.code, "<b>", "v")
    assert code_of(lambda: school.join(room.code, "late", "v")) == "room_full"
    school.store.remove_member(room.code, 1)
    assert school.member(room.code, ann.key) is None and school.member(room.code, bob.key) == bob.member
    school.store.change_room(room.code, joinable=False)
    assert code_of(lambda: school.join(room.code, "late", "v")) == "room_locked"


def test_no_nickname_is_kept_in_a_room_without_nicknames(school: Classroom) -> None:
    room, _ = school.open_room(named=False)
    assert school.join(room.code, "Ann", "v").member.name == ""


def test_the_last_answer_before_the_reveal_counts(school: Classroom) -> None:
    room, _ = school.open_room(named=False)
    for _ in range(2):
        school.join(room.code, "", "v")
    assert school.ask(room.code, QUESTION).number == 1
    assert code_of(lambda: school.ask(room.code, QUESTION)) == "room_running"
    school.answer(room, 1, Answer(1, "first", (1,), "first"))
    school.answer(room, 1, Answer(1, "x" * 10_000, (2,), "x"))
    assert code_of(lambda: school.answer(room, 1, Answer(2, "fuck", (1,), "fu"))) == "room_word"
    assert code_of(lambda: school.answer(room, 1, Answer(2, "word", (1,), "shit"))) == "room_word"
    assert code_of(lambda: school.answer(room, 1, Answer(3, "", (1,), ""))) == "room_over", "no such member"
    seen: list[Answer] = []

    def compare(asked: Round, answers: list[Answer]) -> dict[str, Any]:
        assert question_of(asked) == QUESTION
        assert code_of(lambda: school.answer(room, 1, Answer(2, "late", (1,), "late"))) == "room_over"
        seen.extend(answers)
        return RESULT.to_json()

    school.reveal(room.code, 2, compare)  # no such round
    school.reveal(room.code, 1, compare)
    school.reveal(room.code, 1, compare)  # pressed twice
    assert seen == [Answer(1, "x" * 60, (2,), "x")]
    last = school.store.last_round(room.code)
    assert last is not None and last.result is not None and Result.from_json(last.result) == RESULT


def test_a_reveal_that_broke_off_can_be_repeated(school: Classroom) -> None:
    room, _ = school.open_room(named=False)
    school.ask(room.code, QUESTION)

    def broken(asked: Round, answers: list[Answer]) -> dict[str, Any]:
        raise EngineError("limit_steps", "too fast")

    assert code_of(lambda: school.reveal(room.code, 1, broken)) == "limit_steps"
    assert school.store.rounds(room.code)[0].state == "closed"
    school.reveal(room.code, 1, lambda asked, answers: RESULT.to_json())
    assert school.store.rounds(room.code)[0].state == "revealed"


def test_wrong_codes_are_bounded_a_minute_and_told_to_the_host(school: Classroom, clock: Clock) -> None:
    room, _ = school.open_room(named=False)
    before = metrics.METRICS.refused("limit_codes")
    for _ in range(code_guesses.MOST_OF_ONE):
        assert code_of(lambda: school.look_up("AAAAA" if room.code != "AAAAA" else "CCCCC", "one")) == "room_none"
    with pytest.raises(EngineError) as refused:
        school.look_up(room.code, "one")
    assert (refused.value.code, refused.value.values) == ("limit_codes", {"seconds": 60})
    assert metrics.METRICS.refused("limit_codes") == before + 1
    assert school.look_up(room.code, "another") == room
    for n in range(code_guesses.MOST_OF_ALL - code_guesses.MOST_OF_ONE):
        code_of(lambda n=n: school.look_up("?", f"visitor {n}"))  # type: ignore[misc]
    assert code_of(lambda: school.look_up(room.code, "a new one")) == "limit_codes"
    clock.now += code_guesses.WINDOW_SECONDS
    assert school.look_up(room.code, "one") == room


def test_the_limits_are_those_of_the_configuration(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.Config().classrooms == 20 and Limits() == Limits(*(20, 60, 180))
    monkeypatch.setenv("ENGINE_CLASSROOMS", "0")
    assert code_of(lambda: Classroom(store).open_room(True)) == "room_off"
    monkeypatch.setenv("ENGINE_CLASSROOMS", "1")
    monkeypatch.setenv("ENGINE_CLASSROOM_MEMBERS", "1")
    monkeypatch.setenv("ENGINE_CLASSROOM_MINUTES", "2")
    room, _ = Classroom(store, now=lambda: 60.0).open_room(False)
    assert room == replace(room, ends=180.0) and codes.read_code(room.code) == room.code
    school = Classroom(store, now=lambda: 179.0)
    school.join(room.code, "", "v")
    assert code_of(lambda: school.join(room.code, "", "v")) == "room_full"
