"""A class that writes on from one text: what is stored, what the projector and the phones are given, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import engine
from engine.classroom import shared
from engine.classroom.classroom import Classroom
from engine.classroom.sqlite_store import SqliteStore
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.classroom import spread_view
from pages.classroom.state import ClassroomState, task_of
from pages.i18n.translator import LANGUAGES, Translator
from pages.session.text_state import TextState
from tests.pages.classroom.test_state import code_of, joined, opened


@pytest.fixture(scope="module")
def model() -> Model:
    return model_registry.request().result()


@pytest.fixture(autouse=True)
def school(monkeypatch: pytest.MonkeyPatch) -> Iterator[Classroom]:
    """A classroom of its own for each test."""
    store = SqliteStore()
    school = Classroom(store)
    monkeypatch.setattr(shared, "_classrooms", {":memory:": school})
    yield school
    store.close()


def view(teacher: ClassroomState, model: Model, t: Translator) -> dict[str, Any]:
    """What the projector is given."""
    asked = teacher.last_round()
    assert asked is not None
    task = task_of(asked)
    assert isinstance(task, spread_view.Spread)
    store = teacher.school.store
    answers, members = store.answers(teacher.code, asked.number), store.members(teacher.code)
    found = asked.result or spread_view.result(model, answers)
    return spread_view.data(task, asked, answers, members, json.loads(json.dumps(found)), t)


def leaves(nodes: list[dict[str, Any]], before: str = "") -> dict[str, str]:
    """The text of each name, read off the tree."""
    found: dict[str, str] = {}
    for node in nodes:
        found |= dict.fromkeys(node["names"], before + node["text"]) | leaves(node["children"], before + node["text"])
    return found


def test_each_writes_with_the_own_number_as_seed_and_all_see_all_at_the_end(model: Model) -> None:
    t = Translator("en")
    teacher = opened()
    people = [joined(teacher, name) for name in ("Ann", "<b>Bob</b>", "Cat")]
    session = TextState(prompt="The weather today is")
    session.settings, session.run_tokens = Settings(temperature=1.3), 9
    ids = session.ready(model).token_ids()
    teacher.spread(model, session)
    assert code_of(lambda: teacher.ask(model, session)) == "room_running"
    people[0].spread(model, session)  # ignored: not the teacher
    assert view(teacher, model, t)["wall"] == [] and view(teacher, model, t)["told"] == []
    for person in (*people, people[0]):
        person.write_on(model, 1)
    people[1].write_on(model, 2)  # no such round
    values = view(teacher, model, t)
    expected = {}
    for number, name in enumerate(("Ann", "<b>Bob</b>", "Cat"), 1):
        steps = [step.token_id for step in engine.generate(model, ids, "sample", session.settings, number, 9)]
        steps = [i for i in steps if i not in model.end_ids]
        expected[name] = model.text((*ids, *steps))[len(model.text(ids)) :]
    assert dict(map(tuple, values["wall"])) == expected
    assert {
        name: text.replace("␣", " ").replace("↵", "\n") for name, text in leaves(values["tree"]).items()
    } == expected
    assert values["spread"] == "open" and len(values["told"]) == 1
    first = {text.split()[0] for text in expected.values()}
    assert f"{len(first)} different beginnings" in values["told"][0] or len(first) != len(values["tree"])
    teacher.reveal(model, 1)
    assert view(teacher, model, t) == values | {"spread": "revealed"}
    assert code_of(lambda: people[0].write_on(model, 1)) == "room_over"
    teacher.remove(1)
    after = view(teacher, model, t)
    assert "Ann" not in json.dumps(after["wall"]) and "Ann" not in leaves(after["tree"])


def test_greedy_texts_are_the_same_and_the_sentence_says_why(model: Model) -> None:
    teacher = opened(named=False)
    people = [joined(teacher, "") for _ in range(3)]
    session = TextState(prompt="今天天氣真")
    session.strategy = "greedy"
    teacher.spread(model, session)
    for person in people:
        person.write_on(model, 1)
    for language in LANGUAGES:
        t = Translator(language)
        values = view(teacher, model, t)
        assert values["told"] == [t("classroom.spread.same_greedy", n=3)]
        assert len({text for _, text in values["wall"]}) == 1 and len(values["tree"]) == 1
        assert values["tree"][0]["count"] == 3 and values["tree"][0]["children"] == []


def test_a_text_with_an_unwanted_word_is_not_shown_to_anybody(model: Model) -> None:
    teacher = opened()
    ann = joined(teacher, "Ann")
    session = TextState(prompt="今天天氣真")
    session.strategy = "greedy"
    teacher.spread(model, session)
    ann.write_on(model, 1)
    [[_, written]] = view(teacher, model, Translator("en"))["wall"]
    teacher.set_words(written[:2])
    ann.write_on(model, 1)
    values = view(teacher, model, Translator("en"))
    assert values["wall"] == [["Ann", ""]] and values["tree"] == []


def test_tasks_are_numbered_with_the_questions_and_leave_games_alone(model: Model) -> None:
    teacher = opened()
    session = TextState(prompt="今天天氣真")
    teacher.ask_in_game(model, "en")
    teacher.reveal(model, 1)
    teacher.spread(model, session)
    teacher.reveal(model, 2)
    place = teacher.last_game()
    assert place is not None and place.index == 0
    teacher.ask(model, session)
    last = teacher.last_question()
    assert last is not None and last.ordinal == 2
    teacher.reveal(model, 3)
    teacher.ask_in_game(model, "en")
    place = teacher.last_game()
    assert place is not None and place.index == 1
    task = spread_view.Spread("m", (1,), "a", "sample", Settings(), 5)
    for language in LANGUAGES:
        t = Translator(language)
        filtered = replace(task, settings=Settings(top_k=5))
        assert (
            spread_view.how(task, t)
            != spread_view.how(filtered, t)
            != spread_view.how(replace(task, strategy="greedy"), t)
        )
