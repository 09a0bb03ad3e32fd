"""Component: the teacher's question to the class, its answers as they come, and its result.

The component (`round_view.js`) reports `ask`, `spread`, `game` ({anew}), `follow` and `lead` ({on}), `reveal`,
`withdraw`, `dismiss` ({number}) and `take` ({number, whose}: `class` or `model`). While answers come it is given how
many count as the same token, not which token: who sees the projector would answer the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.classroom.comparison import Result
from engine.classroom.question import Game, Question
from engine.classroom.records import Answer, Round
from engine.classroom.spread import spread_of
from pages.classroom import wording
from pages.components.register import event_callback, register
from pages.components.text.readable_text import readable_text
from pages.i18n.translator import Translator

_component = register("classroom_round", Path(__file__), "two_distributions", "spread")
EVENTS = ("ask", "spread", "game", "follow", "lead", "reveal", "withdraw", "dismiss", "take")
LABELS = (
    "gap", "ask", "spread", "game", "new_game", "follow", "follow_note", "lead", "lead_note",
    "reveal", "withdraw", "go_on", "next", "another_game", "end_game", "token", "class", "model", "truth", "own",
    "legend", "hidden", "bars",
)  # fmt: skip


def data(
    asked: Round | None, answers: Sequence[Answer], members: int, text: str, can_take: bool, problem: str, t: Translator
) -> dict[str, Any]:
    """Data of the component.

    asked     the round that is shown; None before a question: then `text` is what it would be about
    can_take  whether the teacher's text still ends where the question was
    """
    stage: dict[str, Any]
    if asked is None:
        stage = {"stage": "ready", "before": readable_text(text)}
    elif spread_of(asked) is not None:
        stage = {"answered": t("classroom.spread.written", n=len(answers), of=members)}
    elif asked.result is None:
        stage = _open(asked, answers, members, t)
    else:
        stage = _revealed(asked, Result.from_json(asked.result), can_take, t)
    labels = {name: t(f"classroom.round.{name}") for name in LABELS}
    labels["spread_note"] = t("classroom.round.spread_note", page=t("step.title"))
    return {"number": asked.number if asked else 0, "problem": problem, "labels": labels, "members": members} | stage


def game_to_go_on(last: Game | None, t: Translator) -> dict[str, str]:
    """Data of the button that goes on with a game, where the last one is not finished."""
    if last is None or last.index + 1 >= last.rounds:
        return {}
    return {"go_on": t("classroom.round.continue_game", n=last.index + 2)}


def heading(question: Question, number: int, t: Translator) -> str:
    """Number of the question among those about own texts, or of the round in its game."""
    game = question.game
    if game is None:
        return t("classroom.round.head", n=question.ordinal or number)
    return t("classroom.round.head_game", n=game.index + 1, of=game.rounds)


def _open(asked: Round, answers: Sequence[Answer], members: int, t: Translator) -> dict[str, Any]:
    question = Question.from_json(asked.question)
    counts = sorted(Counter(answer.tokens for answer in answers).values(), reverse=True)
    return {
        "stage": "open",
        "head": heading(question, asked.number, t),
        **wording.passage(question, None),
        "counts": counts,
        "answered": t("classroom.round.answered", n=len(answers), of=members),
        "options": [text for _, text in question.options],
    }


def _revealed(asked: Round, result: Result, can_take: bool, t: Translator) -> dict[str, Any]:
    question = Question.from_json(asked.question)
    game = question.game
    takes = []
    if can_take and game is None:
        for whose, tokens in (("class", result.chosen), ("model", result.best)):
            if (bar := result.bar(tokens)) is not None and (whose == "class" or result.chosen != result.best):
                key = "both" if whose == "class" and result.chosen == result.best else whose
                takes.append([whose, t(f"classroom.round.take_{key}", token=bar.text)])
    return {
        "stage": "revealed",
        "head": heading(question, asked.number, t),
        **wording.passage(question, result),
        "rows": wording.rows(result, (), t),
        "told": wording.told(result, t),
        "first": wording.first_sentences(question, result),
        "takes": takes,
        "game": game is not None,
        "last": game is not None and game.index + 1 == game.rounds,
    }


def draw(values: dict[str, Any], actions: dict[str, Callable[[dict[str, Any]], None]]) -> None:
    """The component with the functions that handle its events."""
    handlers = {f"on_{name}_change": event_callback("classroom_round", name, actions[name]) for name in EVENTS}
    _component(key="classroom_round", data=values, **handlers)
