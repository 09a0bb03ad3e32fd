"""A visitor's place in a classroom: coming and going, who may do what, what pages are given and when."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from engine.classroom import codes, shared
from engine.classroom.classroom import Classroom
from engine.classroom.code_guesses import MOST_OF_ONE
from engine.classroom.comparison import Result
from engine.classroom.question import Game, Question
from engine.classroom.sqlite_store import SqliteStore
from engine.errors import EngineError
from engine.model.model import Model
from engine.serving import model_registry
from pages.classroom import game, member_view, round_view, wording
from pages.classroom.state import ClassroomState
from pages.i18n.translator import LANGUAGES, Translator, sentences
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.shell.question_texts import questions_of_game

HOSTILE = "<img src=x onerror=alert(1)>"


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


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(EngineError) as refused:
        action()
    return refused.value.code


def opened(named: bool = True) -> ClassroomState:
    teacher = ClassroomState()
    teacher.open_room(named)
    return teacher


def joined(teacher: ClassroomState, name: str) -> ClassroomState:
    member = ClassroomState()
    member.look_up(teacher.code.lower(), name)
    if member.role == "":
        member.join(name, name)
    assert member.role == "member" and member.code == teacher.code
    return member


def shown(member: ClassroomState, t: Translator) -> dict[str, object]:
    """What a member's page is given."""
    room, person, asked = member.room(), member.member(), member.last_round()
    assert room is not None and person is not None
    answers = member.school.store.answers(room.code, asked.number) if asked else []
    own = next((answer for answer in answers if answer.member == person.number), None)
    return member_view.data(room, person, member.key, 1, asked, own, "", t)


def test_a_round_from_the_question_to_the_next_text(model: Model) -> None:
    t = Translator("en")
    teacher, ann, bob = (state := opened()), joined(state, "Ann"), joined(state, HOSTILE)
    session = TextState(prompt="The weather today is")
    before = session.ready(model).token_ids()
    teacher.ask(model, session)
    ann.answer(model, 1, "  sunny and warm")
    ann.answer(model, 1, "nice")
    bob.pick(1, 10**6)  # no option of the question
    assert shown(bob, t)["answered"] == "" and "nice" in str(shown(ann, t)["answered"])
    asked = teacher.last_round()
    assert asked is not None
    token, text = Question.from_json(asked.question).options[2]
    bob.pick(1, token)
    assert shown(bob, t)["picked"] == token and "rows" not in shown(bob, t)
    teacher.reveal(model, 1)
    teacher.reveal(model, 1)
    assert code_of(lambda: ann.answer(model, 1, "late")) == "room_over"
    revealed = teacher.last_round()
    assert revealed is not None and revealed.result is not None
    result = Result.from_json(revealed.result)
    assert {bar.text: bar.votes for bar in result.bars if bar.votes} == {"␣nice": 1, text: 1} or text == "␣nice"
    rows = shown(ann, t)["rows"]
    assert isinstance(rows, list) and sum(row["share"] for row in rows) == pytest.approx(1)
    assert sum(row["p"] for row in rows) == pytest.approx(1, abs=1e-3)
    assert [row["text"] for row in rows if "own" in row["marks"]] == ["␣nice"]
    teacher.take(model, session, 1, result.best)
    assert session.ready(model).token_ids() == (*before, *result.best)
    teacher.take(model, session, 1, result.best)  # pressed twice
    assert session.ready(model).token_ids() == (*before, *result.best)


def test_nothing_of_the_model_or_of_others_is_sent_before_the_reveal(model: Model) -> None:
    t = Translator("en")
    teacher = opened()
    ann, bob = joined(teacher, "Ann"), joined(teacher, "Bob")
    teacher.ask_in_game(model, "en")
    asked = teacher.last_round()
    assert asked is not None
    question = Question.from_json(asked.question)
    assert question.truth is not None
    ann.answer(model, 1, "xylophone")
    data = shown(bob, t)
    assert not {"rows", "told", "truth_text"} & set(data) and data["truth"] == data["rest"] == ""
    assert "xyl" not in json.dumps(data) and question.rest not in json.dumps(data, ensure_ascii=False)
    answers = teacher.school.store.answers(teacher.code, 1)
    projected = round_view.data(asked, answers, 2, "", True, "", t)
    assert projected["counts"] == [1] and "xyl" not in json.dumps(projected)


def test_only_the_teacher_can_do_what_a_teacher_does(model: Model) -> None:
    teacher = opened()
    ann = joined(teacher, "Ann")
    session = TextState(prompt="The weather today is")
    ann.ask(model, session)
    assert teacher.last_round() is None
    teacher.ask(model, session)
    for action in (
        lambda: ann.reveal(model, 1), lambda: ann.withdraw(1), lambda: ann.remove(1), lambda: ann.set_joinable(False),
        lambda: ann.set_words("nice"), ann.close,
    ):  # fmt: skip
        action()
    room, asked = teacher.room(), teacher.last_round()
    assert room is not None and room.joinable and not room.words and asked is not None and asked.state == "open"
    assert len(teacher.school.store.members(teacher.code)) == 1
    impostor = ClassroomState()
    assert code_of(lambda: impostor.hold(teacher.code, ann.key, "v")) == "room_none"
    impostor.come_back("teacher", teacher.code, ann.key, "v")
    assert (impostor.role, impostor.left) == ("", "ended")


def test_the_same_person_by_the_key_that_the_browser_keeps() -> None:
    teacher = opened()
    ann = joined(teacher, "Ann")
    again, holder = ClassroomState(), ClassroomState()
    again.come_back("member", ann.code, ann.key, "v")
    assert again.role == "member" and again.member() == ann.member()
    holder.from_query(QueryParams({"room": teacher.code, "teach": teacher.key}), TextState(), None)  # type: ignore[arg-type]
    holder.hold(holder.wanted, holder.arriving, "v")
    assert holder.role == "teacher" and holder.to_query() == {"room": teacher.code}, "no link has the secret"
    teacher.remove(1)
    assert again.member() is None and (again.role, again.left) == ("", "removed")
    late = ClassroomState()
    late.come_back("member", ann.code, ann.key, "v")
    assert (late.role, late.left) == ("", "removed")
    teacher.close()
    assert holder.room() is None and (holder.role, holder.left) == ("", "ended")
    late.come_back("member", ann.code, ann.key, "v")
    assert (late.role, late.left) == ("", "ended")
    for _ in range(MOST_OF_ONE - 1):  # somebody who tries codes as if the browser had kept them
        late.come_back("member", ann.code, ann.key, "v")
    late.left = ""
    assert code_of(lambda: late.come_back("member", ann.code, ann.key, "v")) == "limit_codes"
    assert late.left == "", "the browser is not told to forget the key"


def test_codes_and_secrets_survive_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a link repairs what mail programs do to it; nothing of a code or secret may look like such damage."""
    every = [f"{a}{b}{c}AA" for a, b, c in itertools.product(codes.ALPHABET, repeat=3)]
    assert [code for code in every if QueryParams({"room": code}).text("room") != code] == []
    assert [code for code in every if QueryParams({"room": code[::-1]}).text("room") != code[::-1]] == []
    made = ["3D" + "a" * 30, *(first + "D" + "-_" * 15 for first in "4aZ-_")]
    left = iter(made)
    monkeypatch.setattr(secrets, "token_urlsafe", lambda size: next(left))
    for secret in made[1:]:
        assert codes.new_secret() == secret == QueryParams({"teach": secret}).text("teach")


def test_a_link_to_another_room_leaves_this_one() -> None:
    teacher, other = opened(), opened()
    ann = joined(teacher, "Ann")
    ann.from_query(QueryParams({"room": teacher.code}), TextState(), None)  # type: ignore[arg-type]
    assert ann.role == "member"
    ann.from_query(QueryParams({"room": other.code}), TextState(), None)  # type: ignore[arg-type]
    assert (ann.role, ann.wanted, ann.key) == ("", other.code, "")


@pytest.mark.parametrize("named", [True, False])
def test_a_game_of_ten_rounds_and_its_scoreboard(model: Model, named: bool) -> None:
    t = Translator("en")
    teacher = opened(named)
    ann, bob = joined(teacher, "Ann" if named else ""), joined(teacher, "Bob" if named else "")
    texts, picked = [], []
    for number in range(1, 11):
        teacher.ask_in_game(model, "en")
        asked = teacher.last_round()
        assert asked is not None and asked.number == number
        question = Question.from_json(asked.question)
        assert question.truth is not None and question.game is not None and question.game.index == number - 1
        texts.append(question.before)
        ann.pick(number, question.truth)  # always right
        if number > 4:
            picked.append(next(token for token, _ in question.options if token != question.truth))
            bob.pick(number, picked[-1])
        assert game.board(teacher, asked, None, t) is None
        teacher.reveal(model, number)
        so_far = game.board(ann, teacher.last_round(), 1, t)
        assert so_far is not None
        assert so_far["so_far"] == (t("classroom.board.so_far", n=number, of=10) if number < 10 else "")
        assert [row["cells"][2] for row in so_far["rows"] if row["marked"]] == [str(number)]
    asked = teacher.last_round()
    board = game.board(bob, asked, 2, t)
    assert asked is not None and board is not None and question.game is not None
    game_questions = questions_of_game(model, "en", question.game.number)
    assert texts == [model.text(each.before) for each in game_questions]
    cells = [row["cells"] for row in board["rows"]]
    places = [[*row[:1], *row[2:3]] for row in cells]
    own = [["1", "10"], ["2", "0"]] if named else [["2", "0"]]
    assert places[:-2] == [*own, ["", "5.0"]]
    assert [row["marked"] for row in board["rows"]].count(True) == 1
    hits = sum(int(model.distribution(each.before).order[0]) == each.truth for each in game_questions)
    assert places[-1] == ["", str(hits)]
    crowd = (
        4
        + sum(  # of two answers with a vote each, the one that the model finds more probable
            model.distribution(each.before).raw[each.truth] > model.distribution(each.before).raw[wrong]
            for each, wrong in zip(game_questions[4:], picked, strict=True)
        )
    )
    assert places[-2] == ["", str(crowd)]
    teacher.ask(model, TextState(prompt="The weather today is"))  # back to the own text
    teacher.reveal(model, 11)
    teacher.ask_in_game(model, "en")
    asked = teacher.last_round()
    assert asked is not None
    another = Question.from_json(asked.question)
    assert another.game == Game("en", question.game.number + 1, 0, 10) and another.before not in texts
    assert round_view.game_to_go_on(question.game, t) == {}


def test_a_game_goes_on_after_an_own_question_or_another_one_begins(model: Model) -> None:
    t = Translator("en")
    teacher = opened()
    session = TextState(prompt="The weather today is")
    teacher.ask_in_game(model, "en")
    teacher.reveal(model, 1)
    first = teacher.last_game()
    assert first is not None and "round 2" in round_view.game_to_go_on(first, t)["go_on"]
    teacher.ask(model, session)
    teacher.reveal(model, 2)
    assert teacher.last_game() == first
    own = teacher.last_question()
    assert own is not None and round_view.heading(own, 2, t) == t("classroom.round.head", n=1), "the first own one"
    teacher.ask_in_game(model, "en")
    assert teacher.last_game() == replace(first, index=1)
    teacher.reveal(model, 3)
    teacher.ask_in_game(model, "en", anew=True)
    assert teacher.last_game() == replace(first, number=first.number + 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_about_a_result_is_filled_in_and_true(model: Model, language: str) -> None:
    t = Translator(language)
    teacher = opened(named=False)
    people = [joined(teacher, "") for _ in range(3)]
    session = TextState(prompt="The weather today is")
    kinds = {}
    for number, answers in enumerate([[], ["bad", "bad", "nice"], ["nice", "nice", "bad"], ["bad", "nice", "龘"]], 1):
        teacher.ask(model, session)
        for person, answer in zip(people, answers, strict=False):
            person.answer(model, number, answer)
        teacher.reveal(model, number)
        asked = teacher.last_round()
        assert asked is not None and asked.result is not None
        lines = wording.told(Result.from_json(asked.result), t)
        kinds[number] = lines[0]
        assert len(lines) == (3 if answers else 1) and not [line for line in lines if "{" in line]
    p = t.percent(float(model.distribution(session.ready(model).token_ids()).raw.max()))
    bad = {"token": "␣bad", "n": 2, "of": 3, "model": "␣nice", "p": p}
    assert kinds == {
        1: t("classroom.told.nobody", **bad), 2: t("classroom.told.other", **bad),
        3: t("classroom.told.same", **(bad | {"token": "␣nice"})),
        4: t("classroom.told.tied", **(bad | {"token": "␣nice", "n": 1, "count": 3})),
    }  # fmt: skip


def test_every_error_of_a_classroom_has_its_sentence() -> None:
    doc = Classroom.__doc__ or ""
    codes = {part for part in doc.replace("`", " ").split() if part.startswith(("room_", "limit_codes"))}
    assert len(codes) == 12
    assert {f"error.{code}" for code in codes | {"room_pending"}} <= set(sentences("en"))


def test_the_class_sees_the_teachers_text_between_the_questions(model: Model) -> None:
    t = Translator("en")
    teacher = opened()
    ann = joined(teacher, "Ann")
    session = TextState(prompt="The weather today is")

    def stage() -> tuple[object, object]:
        teacher.show_text(model.text(session.ready(model).token_ids()))  # as every page does when it is drawn
        data = shown(ann, t)
        return data["stage"], data.get("before")

    assert stage() == ("wait", None)
    ann.follow(True, "not the teacher")
    assert stage() == ("wait", None)
    teacher.follow(True, "The weather today is")
    assert stage() == ("text", "The weather today is")
    session.step(model)
    text = model.text(session.ready(model).token_ids())
    version = teacher.school.store.versions([teacher.room().channel])  # type: ignore[union-attr]
    assert stage() == ("text", text) and text != "The weather today is"
    again = teacher.school.store.versions([teacher.room().channel])  # type: ignore[union-attr]
    assert stage() == ("text", text) and again != version
    assert teacher.school.store.versions([teacher.room().channel]) == again, "drawn again, no news"  # type: ignore[union-attr]
    teacher.ask(model, session)
    assert stage() == ("open", text)
    teacher.reveal(model, 1)
    assert stage() == ("revealed", text)
    asked = teacher.last_round()
    assert asked is not None and asked.result is not None
    assert teacher.see_result(asked, model, session)
    teacher.take(model, session, 1, Result.from_json(asked.result).best)
    assert not teacher.see_result(asked, model, session)
    assert stage() == ("text", model.text(session.ready(model).token_ids()))
    teacher.ask_in_game(model, "en")
    teacher.reveal(model, 2)
    assert stage()[0] == "revealed", "the result of a game stays, though the text is another"
    teacher.follow(True, model.text(session.ready(model).token_ids()))  # the teacher puts the result away
    assert stage()[0] == "text"
    holder = ClassroomState()
    holder.hold(teacher.code, teacher.key, "v")
    assert holder.following
    teacher.follow(False, "anything")
    assert stage()[0] == "revealed"


def test_only_the_window_in_which_the_teacher_writes_shows_its_text_and_never_over_a_result(model: Model) -> None:
    t = Translator("en")
    one = opened()
    ann = joined(one, "Ann")
    session, stale = TextState(prompt="The weather today is"), TextState(prompt="An old text")
    one.follow(True, "The weather today is")
    two = ClassroomState()
    two.hold(one.code, one.key, "v")
    for _ in range(2):  # drawn, and drawn again
        two.show_text("An old text")
    assert shown(ann, t)["before"] == "The weather today is"
    one.ask(model, session)
    two.reveal(model, 1)
    revealed = two.last_round()
    assert revealed is not None
    one.show_text("The weather today is nice")  # a run that goes on in a window which has not shown the result yet
    assert shown(ann, t)["stage"] == "revealed"
    assert two.see_result(revealed, model, stale) and one.see_result(revealed, model, session)
    two.show_text("An old text")
    assert shown(ann, t)["stage"] == "revealed"
    two.show_text("An old text, continued")  # the teacher writes here now
    assert shown(ann, t)["before"] == "An old text, continued"
    one.show_text("The weather today is nice")
    assert shown(ann, t)["before"] == "An old text, continued"
    two.follow(False, "An old text, continued")
    one.show_text("The weather today is nice and")
    room = one.room()
    assert room is not None and not room.text and shown(ann, t)["stage"] == "revealed"
    one.read_room(room)
    assert not one.following


def test_a_refusal_is_told_until_the_room_shows_something_else(model: Model) -> None:
    teacher = opened()
    ann = joined(teacher, "Ann")
    session = TextState(prompt="The weather today is")
    teacher.ask(model, session)
    ann.attempt(lambda: ann.answer(model, 1, "shit"))
    refused = ann.current_problem()
    assert refused is not None and refused.code == "room_word" and ann.current_problem() is refused
    teacher.reveal(model, 1)
    assert ann.current_problem() is None
    teacher.ask(model, session)
    ann.attempt(lambda: ann.answer(model, 2, "shit"))
    assert ann.current_problem() is not None
    teacher.withdraw(2)
    assert ann.current_problem() is None
    teacher.ask(model, session)
    ann.attempt(lambda: ann.answer(model, 2, "shit"))
    teacher.close()
    assert ann.room() is None and (ann.left, ann.problem) == ("ended", None), "the end is told, not the refusal"


def test_a_teacher_closes_the_door_and_adds_to_the_word_list(model: Model) -> None:
    teacher = opened()
    ann = joined(teacher, "Ann")
    teacher.set_words("Banana, 香蕉")
    teacher.ask(model, TextState(prompt="The weather today is"))
    for unwanted in ("banana", "我要香蕉"):
        assert code_of(lambda text=unwanted: ann.answer(model, 1, text)) == "room_word"  # type: ignore[misc]
        assert code_of(lambda name=unwanted: joined(teacher, name)) == "room_word"  # type: ignore[misc]
    ann.answer(model, 1, "bananas")
    teacher.set_words("")
    joined(teacher, "banana")
    teacher.set_joinable(False)
    assert code_of(lambda: joined(teacher, "Bob")) == "room_locked"
    teacher.set_joinable(True)
    joined(teacher, "Bob")


def test_a_closed_door_and_a_missing_code_are_told_before_a_nickname_is_asked_for() -> None:
    teacher = opened()
    assert code_of(lambda: ClassroomState().look_up("  ", "v")) == "room_code"
    ann = joined(teacher, "Ann")
    teacher.set_joinable(False)
    late = ClassroomState()
    assert code_of(lambda: late.look_up(teacher.code, "v")) == "room_locked" and late.named is None
    back = ClassroomState()
    back.come_back("member", ann.code, ann.key, "v")
    assert back.role == "member", "who was in it comes back"


@pytest.mark.parametrize("named", [True, False])
def test_a_second_click_joins_nobody_twice(named: bool) -> None:
    teacher = opened(named)
    code = teacher.code
    teacher.open_room(named)
    assert teacher.code == code
    ann = joined(teacher, "Ann" if named else "")
    ann.look_up(code, "v")
    ann.join("Ann", "v")
    assert ann.role == "member" and len(teacher.school.store.members(code)) == 1


def test_who_leaves_is_gone_and_the_nickname_is_free(model: Model) -> None:
    teacher = opened()
    ann = joined(teacher, "Ann")
    teacher.ask(model, TextState(prompt="今天天氣真"))
    ann.answer(model, 1, "好")
    ann.go()
    store = teacher.school.store
    assert ann.role == "" and store.members(teacher.code) == [] and store.answers(teacher.code, 1) == []
    assert code_of(lambda: (joined(teacher, "Ann"), joined(teacher, "Ａｎｎ"))) == "room_name_taken"
