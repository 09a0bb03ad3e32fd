"""Classroom: a class guesses the next token together, and sees its own distribution beside the model's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

import engine
from engine.classroom.comparison import Result
from engine.classroom.progress import progress
from engine.classroom.records import Answer, Member, Round
from engine.classroom.spread import Spread, spread_of
from engine.errors import EngineError
from engine.serving import config
from pages.classroom import door, game, member_view, progress_view, room_head, round_view, spread_view
from pages.classroom.showing import CLASSROOM
from pages.classroom.state import ClassroomState, task_of
from pages.classroom.wording import problem_text
from pages.components.text.readable_text import readable_text
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import (
    address,
    example_language,
    extensions,
    fragment,
    messages,
    model_access,
    model_picker,
    prompt_box,
    visitor,
)

session = session_state.get(TextState)
state = session_state.get(ClassroomState)
t = Translator(session_state.language())
Value = dict[str, Any]
attempt = state.attempt


def me() -> str:
    """Who tries codes: the visitor's session."""
    return visitor.current_visitor() or ""


def asking_model() -> engine.Model:
    """The model of the last question, which its answers are compared with; the session's may be another by now."""
    last = state.last_round()
    return model_access.model_named(task_of(last).model if last else session.model_name)


def draw_door() -> None:
    limits = config.current()
    actions: dict[str, Callable[[Value], None]] = {
        "back": lambda v: attempt(
            lambda: state.come_back(str(v.get("role")), str(v.get("code")), str(v.get("key")), me())
        ),
        "code": lambda v: attempt(lambda: state.look_up(str(v["text"]), me())),
        "join": lambda v: attempt(lambda: state.join(str(v["name"]), me())),
        "another": lambda v: look_for_another(),
        "open": lambda v: attempt(lambda: state.open_room(bool(v["named"]))),
    }
    door.draw(door.data(state, limits.classrooms > 0, limits.classroom_minutes, t), actions)


def look_for_another() -> None:
    state.wanted, state.named, state.problem = "", None, None


def draw_teacher() -> None:
    version = state.school.version(state.code, "all")
    room = state.room()
    if room is None:
        return
    state.read_room(room)
    model = model_access.wait_for_model(session, t)
    last = state.last_round()
    shown = last if last is not None and last.number != state.dismissed else None
    if shown is not None and shown.state == "revealed" and not state.see_result(shown, model, session):
        shown = None
    members = state.school.store.members(room.code)
    answers = state.school.store.answers(room.code, last.number) if last is not None else []
    answered = {answer.member for answer in answers} if shown is not None and shown.result is None else set()
    head = room_head.data(room, state.key, version, members, answered, last is None, t)
    actions: dict[str, Callable[[Value], None]] = {
        "remove": lambda v: state.remove(int(v["member"])),
        "joinable": lambda v: state.set_joinable(bool(v["joinable"])),
        "words": lambda v: state.set_words(str(v["text"])),
        "close": lambda v: state.close(),
        "hand": lambda v: state.hand_out_prompts(str(v["text"]), lambda n: t("classroom.hand.prompts", n=n)),
        "take_back": lambda v: state.take_back(str(v["link"])),
    }
    room_head.draw(head, actions)
    with st.container():  # always one element, so that what follows keeps its place
        if shown is None:
            prompt_box.draw(session, t)
            messages.show_problem(session.problem, t)
    draw_round(shown, model, members, answers)
    draw_progress(members)


def draw_round(shown: Round | None, model: engine.Model, members: list[Member], answers: list[Answer]) -> None:
    text = model.text(session.ready(model).token_ids())
    about = shown is not None and state.is_about(task_of(shown), model, session)
    values = round_view.data(shown, answers, len(members), text, about, problem_text(state.current_problem(), t), t)
    if shown is not None and (task := spread_of(shown)) is not None:
        found = shown.result or spread_view.result(asking_model(), answers)
        values |= spread_view.data(task, shown, answers, members, found, t)
    values |= {"following": state.following, "leading": state.leading}
    if shown is None:
        values |= round_view.game_to_go_on(state.last_game(), t)
    board = game.board(state, shown, None, t)
    actions: dict[str, Callable[[Value], None]] = {
        "ask": lambda v: attempt(lambda: state.ask(model, session)),
        "spread": lambda v: attempt(lambda: state.spread(model, session)),
        "game": lambda v: attempt(lambda: ask_in_game(model, bool(v.get("anew")))),
        "follow": lambda v: state.follow(bool(v["on"]), text),
        "lead": lambda v: state.lead(bool(v["on"]), CLASSROOM),
        "reveal": lambda v: attempt(lambda: state.reveal(asking_model(), int(v["number"]))),
        "withdraw": lambda v: attempt(lambda: state.withdraw(int(v["number"]))),
        "dismiss": lambda v: dismiss(int(v["number"]), text),
        "take": lambda v: attempt(lambda: take(model, int(v["number"]), str(v["whose"]))),
    }
    round_view.draw(values | ({"board": board} if board else {}), actions)


def draw_progress(members: list[Member]) -> None:
    found = progress(state.school.store.works(state.code))
    progress_view.draw(progress_view.data(found, members, lambda name: extensions.companion.outline(name, t), t))


def ask_in_game(model: engine.Model, anew: bool) -> None:
    state.ask_in_game(model, example_language.for_prompts(t).language, anew)


def dismiss(number: int, text: str) -> None:
    """Put a result away, on the phones as well where they show the teacher's text."""
    state.dismissed = number
    if state.following:
        state.follow(True, text)


def take(model: engine.Model, number: int, whose: str) -> None:
    """Go on with the text by the class's choice or the model's."""
    last = state.last_round()
    if last is not None and last.number == number and last.result is not None and spread_of(last) is None:
        result = Result.from_json(last.result)
        state.take(model, session, number, result.chosen if whose == "class" else result.best)


def draw_member() -> None:
    version = state.school.version(state.code, "stage")
    room, member = state.room(), state.member()
    if room is None or member is None:
        return
    last = state.last_round()
    answers = state.school.store.answers(room.code, last.number) if last is not None else []
    own = next((answer for answer in answers if answer.member == member.number), None)
    actions: dict[str, Callable[[Value], None]] = {
        "answer": lambda v: attempt(lambda: state.answer(asking_model(), int(v["number"]), str(v["text"]))),
        "write": lambda v: attempt(lambda: state.write_on(asking_model(), int(v["number"]))),
        "pick": lambda v: attempt(lambda: state.pick(int(v["number"]), int(v["token"]))),
        "leave": lambda v: state.go(),
        "along": lambda v: state.go_along(bool(v["on"])),
        "open": lambda v: state.open_handed(str(v["link"])),
    }
    values = member_view.data(room, member, state.key, version, last, own, problem_text(state.current_problem(), t), t)
    values["along"] = state.along
    if values["stage"] != "text" and last is not None and (task := spread_of(last)) is not None:
        values |= member_spread(task, last, answers, member)
    board = game.board(state, last, member.number, t)
    member_view.draw(values | ({"board": board} if board else {}), actions)


def member_spread(task: Spread, asked: Round, answers: list[Answer], member: Member) -> Value:
    """What a member sees of a task that everybody continues: the own text, and all once they are shown to all."""
    own = [answer for answer in answers if answer.member == member.number]
    shown = answers if asked.result is not None else []
    found = asked.result or spread_view.NOTHING
    values = spread_view.data(task, asked, shown, state.school.store.members(state.code), found, t)
    return values | {
        "written": readable_text(own[0].text) if own else None,
        "withheld": bool(own) and not own[0].tokens,
        "seed": t("classroom.spread.seed", n=member.number, page=t("step.title"))
        if task.strategy == "sample"
        else t("classroom.spread.no_seed"),
    }


@fragment.part
def workbench() -> None:
    if state.arriving:
        secret, state.arriving = state.arriving, ""
        attempt(lambda: state.hold(state.wanted, secret, me()))
    elif state.wanted and state.named is None and not state.role and state.problem is None:
        attempt(lambda: state.look_up(state.wanted, me()))
    room = state.room()
    if state.redraw or state.to_open or (room is not None and state.waiting_page(room)):
        redraw()  # by `app.py`, which leads to another page
    {"": draw_door, "teacher": draw_teacher, "member": draw_member}[state.role]()
    if state.redraw:  # the room has ended, or the member was removed
        redraw()
    address_bar.update()


def redraw() -> None:
    """Draw the whole page: its head depends on the role."""
    state.redraw = False
    st.rerun()


address_bar = address.AddressBar(session, t, state)
frame.begin(t("classroom.title"), t(f"classroom.lead.{state.role or 'door'}"), session, t)
address_bar.restore()
try:
    workbench()
except EngineError as error:
    messages.show_problem(error, t)
if state.role == "teacher":
    model_picker.draw(session, t)
