"""Progress of a class in lessons: who is where, and the first answers."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from engine.classroom.progress import MOST_STAGES, Place, Stage, progress, works_of
from engine.classroom.records import Work

PLACES = st.builds(
    Place,
    st.sampled_from(["a", "b"]),
    st.integers(0, 3),
    st.lists(st.integers(0, 3), unique=True).map(tuple),
    st.lists(st.integers(0, 2), max_size=2).map(tuple),
)


def test_where_three_members_are() -> None:
    works = [
        *works_of(1, Place("beam", 1, (0,), ()), 10.0),
        *works_of(2, Place("beam", 1, (0, 1), ()), 20.0),
        *works_of(3, Place("beam", 3, (0, 1, 2), (2, 0)), 30.0),
    ]
    found = progress(works)["beam"]
    assert found.stages == {
        0: Stage({}, [1, 2, 3]), 1: Stage({1: 10.0}, [2, 3]), 2: Stage({}, [3]), 3: Stage({3: 30.0}, []),
    }  # fmt: skip
    assert found.answers == {2: 1} and found.at_work == 2, "the first answer counts"


def test_who_leaves_the_lesson_is_no_longer_there_and_stays_done() -> None:
    works = [*works_of(1, None, 50.0), *works_of(1, Place("beam", 1, (0,), (1,)), 10.0)[1:]]
    found = progress(works)["beam"]
    assert found.at_work == 0 and found.stages == {0: Stage({}, [1])} and found.answers == {1: 1}
    assert progress(works_of(1, None, 50.0)) == {} and progress([]) == {}


def test_a_store_that_holds_too_much_is_bounded() -> None:
    work = Work(1, "lesson x", {"done": list(range(1_000)), "answers": []})
    assert len(progress([work])["x"].stages) == MOST_STAGES


@given(st.dictionaries(st.integers(1, 9), st.lists(st.one_of(st.none(), PLACES), min_size=1, max_size=5)))
def test_the_last_place_of_each_member_counts_once(walks: dict[int, list[Place | None]]) -> None:
    """Against a count from the walks themselves; a store keeps the last work of each member and topic."""
    kept: dict[tuple[int, str], Work] = {}
    for member, walk in walks.items():
        for at, place in enumerate(walk):
            kept |= {(work.member, work.topic): work for work in works_of(member, place, float(at))}
    found = progress([Work(w.member, w.topic, json.loads(json.dumps(w.values))) for w in kept.values()])
    for lesson in "ab":
        last = {
            member: [place for place in walk if place is not None and place.lesson == lesson][-1:]
            for member, walk in walks.items()
        }
        for stage in range(4):
            here = {
                member
                for member, walk in walks.items()
                if (now := walk[-1]) is not None and now[:2] == (lesson, stage) and stage not in now.done
            }
            done = {member for member, places in last.items() if places and stage in places[0].done}
            counted = found[lesson].stages.get(stage, Stage()) if lesson in found else Stage()
            assert (set(counted.here), set(counted.done)) == (here, done)
            assert len(counted.done) == len(done)
        first = [places[0].answers[0] for places in last.values() if places and places[0].answers]
        assert sum(found[lesson].answers.values()) == len(first) if lesson in found else not first
