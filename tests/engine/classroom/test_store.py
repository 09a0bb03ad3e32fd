"""The interface of a store: what every store does, compared with a plain dictionary, and from many threads."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.classroom.records import Answer, Member, Versions, Work
from engine.classroom.store import Store
from tests.engine.classroom.conftest import STORES, room

CODE = "K7M4P"
QUESTION = {"before": "今天天氣真"}


def answer(member: int, text: str = "好") -> Answer:
    return Answer(member, text, (7, 8), text, 4)


def test_a_room_comes_back_as_it_was_added_and_goes_with_everything_in_it(store: Store) -> None:
    added = room(named=False, words=("甲", "b"), text="今天")
    assert store.add_room(added, 2) == "added" and store.room(CODE) == added
    assert store.add_room(replace(room(), channel="another"), 2) == "taken"
    assert store.add_room(room("AAAAA"), 2) == "added" and store.add_room(room("CCCCC"), 2) == "full"
    store.change_room(CODE, joinable=False, words=("c",))
    assert store.room(CODE) == replace(added, joinable=False, words=("c",))
    store.change_room(CODE, text="今天天氣")
    assert store.room(CODE) == replace(added, joinable=False, words=("c",), text="今天天氣")
    store.change_room(CODE, text="今天", page="beam?t=1", handed=(("集束搜尋", "beam"), ("b", "c")))
    changed = replace(added, joinable=False, words=("c",), page="beam?t=1", handed=(("集束搜尋", "beam"), ("b", "c")))
    assert store.room(CODE) == changed
    assert store.add_member("AAAAA", "Ann", "key", 9) == Member(1, "Ann", "key")
    assert store.add_round("AAAAA", QUESTION) is not None and store.put_answer("AAAAA", 1, answer(1))
    store.remove_room("AAAAA")
    assert (store.room("AAAAA"), store.members("AAAAA"), store.rounds("AAAAA"), store.answers("AAAAA", 1)) == (
        None, [], [], [],
    )  # fmt: skip
    assert store.add_room(room("AAAAA"), 2) == "added" and store.members("AAAAA") == []


def test_ended_rooms_go_and_others_stay(store: Store) -> None:
    store.add_room(room(ends=100.0), 9)
    store.add_room(room("AAAAA", ends=101.0), 9)
    assert [store.remove_ended(now) for now in (99.9, 100.0, 100.0)] == [0, 1, 0]
    assert store.room(CODE) is None and store.room("AAAAA") is not None


def test_members_are_refused_with_the_reason(store: Store) -> None:
    assert store.add_member(CODE, "Ann", "", 9) == "none"
    store.add_room(room(), 9)
    assert store.add_member(CODE, "Ann", "1", 2) == Member(1, "Ann", "1")
    assert store.add_member(CODE, "ANN", "2", 2) == "taken"
    assert store.add_member(CODE, "", "2", 2) == Member(2, "", "2")
    assert store.add_member(CODE, "", "3", 2) == "full"
    assert store.add_member(CODE, "", "3", 3) == Member(3, "", "3"), "names that are not there may be equal"
    store.remove_member(CODE, 3)
    assert store.add_member(CODE, "", "4", 3) == Member(4, "", "4"), "a number is never used again"
    store.change_room(CODE, joinable=False)
    assert store.add_member(CODE, "Bob", "", 9) == "locked"
    assert [member.number for member in store.members(CODE)] == [1, 2, 4]


def test_a_round_goes_its_way_once(store: Store) -> None:
    assert store.add_round(CODE, QUESTION) is None and store.last_round(CODE) is None
    store.add_room(room(), 9)
    store.add_member(CODE, "", "", 9)
    assert store.add_round(CODE, QUESTION) is not None and store.add_round(CODE, QUESTION) is None
    assert not store.reveal_round(CODE, 1, {"of": "an open round"})
    assert store.put_answer(CODE, 1, answer(1, "a")) and store.put_answer(CODE, 1, answer(1, "b"))
    assert not store.put_answer(CODE, 1, answer(2)) and not store.put_answer(CODE, 2, answer(1))
    assert [store.close_round(CODE, 1) for _ in range(2)] == [True, False]
    assert not store.put_answer(CODE, 1, answer(1, "too late")) and store.add_round(CODE, QUESTION) is None
    assert [store.reveal_round(CODE, 1, {"n": n}) for n in (1, 2)] == [True, False]
    assert store.answers(CODE, 1) == [answer(1, "b")]
    last = store.last_round(CODE)
    assert last is not None and (last.number, last.state, last.question, last.result) == (
        1, "revealed", QUESTION, {"n": 1},
    )  # fmt: skip
    assert store.add_round(CODE, QUESTION) is not None
    store.put_answer(CODE, 2, answer(1))
    store.remove_round(CODE, 2)
    assert [each.number for each in store.rounds(CODE)] == [1] and store.answers(CODE, 2) == []
    store.change_room(CODE, text="newer than the result of round 1")
    store.add_round(CODE, QUESTION)
    store.change_room(CODE, text="no newer than that, as round 2 is open")
    found = store.room(CODE)
    assert found is not None and found.text_after == 1


def test_versions_tell_who_has_something_new_to_see(store: Store) -> None:
    store.add_room(room(), 9)
    channel, marks = room().channel, [store.mark()]
    before = store.versions([channel])[channel]

    def changed() -> tuple[bool, bool]:
        """Whether the versions for the teacher and for members have grown; the mark changes with either."""
        nonlocal before
        now = store.versions([channel, "unknown"])[channel]
        grown = now.all > before.all, now.stage > before.stage
        before = now
        assert (store.mark() != marks[-1]) == any(grown)
        marks.append(store.mark())
        return grown

    assert before == Versions(1, 1) and changed() == (False, False)
    store.add_member(CODE, "", "", 9)
    assert changed() == (True, False)
    store.change_room(CODE, joinable=False)
    assert changed() == (True, False)
    store.change_room(CODE, text="what the class sees")
    assert changed() == (True, True)
    store.add_round(CODE, QUESTION)
    assert changed() == (True, True)
    store.put_answer(CODE, 1, answer(1))
    assert changed() == (True, False)
    store.close_round(CODE, 1)
    assert changed() == (True, True)
    store.reveal_round(CODE, 1, {})
    assert changed() == (True, True)
    store.remove_member(CODE, 1)
    assert changed() == (True, True)
    assert store.versions([]) == {}
    store.remove_room(CODE)
    assert store.versions([channel]) == {} and store.mark() != marks[-1]


def test_the_last_work_of_each_member_in_a_topic_is_kept_until_the_member_goes(store: Store) -> None:
    assert not store.put_work(CODE, Work(1, "step 1", {}))
    store.add_room(room(), 9)
    for n in range(2):
        store.add_member(CODE, "", str(n), 9)
    assert not store.put_work(CODE, Work(3, "step 1", {})) and store.works(CODE) == []
    done = [Work(2, "step 2", {"done": True}), Work(1, "step 2", {"done": False}), Work(1, "step 1", {"文": [1, None]})]
    before = store.versions([f"channel of {CODE}"])
    assert all(store.put_work(CODE, work) for work in done)
    after = store.versions([f"channel of {CODE}"])
    assert before[f"channel of {CODE}"].all < after[f"channel of {CODE}"].all
    assert before[f"channel of {CODE}"].stage == after[f"channel of {CODE}"].stage
    assert store.works(CODE) == [done[2], done[1], done[0]]
    assert store.put_work(CODE, Work(1, "step 2", {"done": True}))
    assert store.works(CODE) == [done[2], Work(1, "step 2", {"done": True}), done[0]]
    store.remove_member(CODE, 1)
    assert store.works(CODE) == [done[0]] and store.works("AAAAA") == []
    store.remove_room(CODE)
    store.add_room(room(), 9)
    assert store.works(CODE) == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from(["", "Ann", "ann", "小明"])),
        st.tuples(st.just("answer"), st.integers(1, 4), st.text(max_size=3)),
        st.tuples(st.just("remove"), st.integers(1, 4)),
        st.tuples(st.sampled_from(["ask", "close", "reveal", "withdraw"])),
    ),
    max_size=30,
)


@pytest.mark.parametrize("name", STORES)
@given(steps=STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_ends_as_in_a_plain_dictionary(name: str, tmp_path_factory: Any, steps: list[Any]) -> None:
    store = STORES[name](Path(tmp_path_factory.mktemp("store")))
    store.add_room(room(), 1)
    members: dict[int, str] = {}
    rounds: list[tuple[str, dict[int, str]]] = []
    arrived, at = 0, 0  # `at`: rounds asked and not withdrawn
    for step in steps:
        state = rounds[-1][0] if rounds else "revealed"
        if step[0] == "join":
            taken = step[1] and step[1].casefold() in (value.casefold() for value in members.values())
            refused = "full" if len(members) >= 3 else "taken" if taken else None
            got = store.add_member(CODE, step[1], "", 3)
            assert got == (refused or Member(arrived + 1, step[1], ""))
            if not refused:
                arrived += 1
                members[arrived] = step[1]
        elif step[0] == "answer":
            took = state == "open" and step[1] in members
            assert store.put_answer(CODE, max(at, 1), answer(step[1], step[2])) == took
            if took:
                rounds[-1][1][step[1]] = step[2]
        elif step[0] == "remove":
            store.remove_member(CODE, step[1])
            members.pop(step[1], None)
            for _, answers in rounds:
                answers.pop(step[1], None)
        elif step[0] == "ask":
            assert (store.add_round(CODE, QUESTION) is not None) == (state == "revealed")
            if state == "revealed":
                rounds.append(("open", {}))
        elif step[0] == "withdraw":
            store.remove_round(CODE, max(at, 1))
            rounds[-1:] = []
        else:
            before, after = {"close": ("open", "closed"), "reveal": ("closed", "revealed")}[step[0]]
            number = max(at, 1)
            done = store.close_round(CODE, number) if step[0] == "close" else store.reveal_round(CODE, number, {})
            assert done == (bool(rounds) and state == before)
            if rounds and state == before:
                rounds[-1] = (after, rounds[-1][1])
        at = len(rounds)
    assert {member.number: member.name for member in store.members(CODE)} == members
    assert [each.state for each in store.rounds(CODE)] == [state for state, _ in rounds]
    for number, (_, answers) in enumerate(rounds, 1):
        assert {each.member: each.typed for each in store.answers(CODE, number)} == answers
    store.close()


def test_no_answer_of_many_threads_is_lost_and_the_last_of_each_counts(store: Store) -> None:
    store.add_room(room(), 9)
    people, changes = 24, 12
    ready = threading.Barrier(people)
    joined: list[int] = []

    def take_part(who: int) -> None:
        ready.wait()
        member = store.add_member(CODE, f"member {who}", "", people)
        assert isinstance(member, Member)
        joined.append(member.number)
        store.add_round(CODE, QUESTION)
        for n in range(changes):
            assert store.put_answer(CODE, 1, answer(member.number, f"{member.number} {n}"))

    threads = [threading.Thread(target=take_part, args=(who,)) for who in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(joined) == list(range(1, people + 1)) and len(store.rounds(CODE)) == 1
    assert [each.typed for each in store.answers(CODE, 1)] == [f"{n} {changes - 1}" for n in range(1, people + 1)]


def test_what_was_taken_before_the_close_is_what_is_found_after_it(store: Store) -> None:
    """Answers that race with the end of a round are taken and stay, or are refused and do not."""
    store.add_room(room(), 9)
    for n in range(8):
        store.add_member(CODE, "", str(n), 9)
    store.add_round(CODE, QUESTION)
    taken: dict[int, int] = {}

    def insist(member: int) -> None:
        n = 0
        while store.put_answer(CODE, 1, answer(member, str(n))):
            taken[member] = n
            n += 1

    threads = [threading.Thread(target=insist, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    while len(taken) < 8:
        pass
    store.close_round(CODE, 1)
    found = {each.member: int(each.typed) for each in store.answers(CODE, 1)}
    for thread in threads:
        thread.join()
    assert found == taken == {each.member: int(each.typed) for each in store.answers(CODE, 1)}
