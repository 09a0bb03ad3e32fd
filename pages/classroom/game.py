"""Scoreboard of a game of a class: so far after each round, and at its end."""

from __future__ import annotations

from typing import Any

from engine.classroom.comparison import Result
from engine.classroom.question import Game, question_of
from engine.classroom.records import Answer, Round
from engine.classroom.scoreboard import crowd_standing, model_standing, standings
from pages.classroom import wording
from pages.classroom.state import ClassroomState
from pages.i18n.translator import Translator


def _game(asked: Round) -> Game | None:
    question = question_of(asked)
    return question.game if question is not None else None


def board(state: ClassroomState, shown: Round | None, own: int | None, t: Translator) -> dict[str, Any] | None:
    """Data of the scoreboard where `shown` is a revealed round of a game; `own`: the visitor's number."""
    place = _game(shown) if shown is not None and shown.result is not None else None
    room = state.room()
    if shown is None or place is None or room is None:
        return None
    store = state.school.store
    played: list[tuple[Result, list[Answer]]] = []
    for asked in store.rounds(room.code):
        game = _game(asked)
        if game is not None and game.number == place.number and asked.result is not None:
            played.append((Result.from_json(asked.result), store.answers(room.code, asked.number)))
    lines = standings(store.members(room.code), played)
    results = [result for result, _ in played]
    table = wording.board(lines, crowd_standing(results), model_standing(results), own, room.named, t)
    so_far = "" if place.index + 1 == place.rounds else t("classroom.board.so_far", n=len(played), of=place.rounds)
    return table | {"so_far": so_far}
