"""Component: what a member of a class sees: wait, answer, wait for the reveal, own answer beside both distributions.

The component (`member_view.js`) reports `answer` ({number, text}), `pick` ({number, token}), `write` ({number}),
`leave` ({}), `along` ({on}) and `open` ({link}), and `changed` when the stage of the room has changed. Nothing of the
model or the other answers is in the data before the round is revealed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.classroom.comparison import Result
from engine.classroom.question import question_of
from engine.classroom.records import Answer, Member, Room, Round
from pages.classroom import wording
from pages.classroom.round_view import heading
from pages.components.register import event_callback, register
from pages.components.text.readable_text import readable_text
from pages.i18n.translator import Translator

_component = register("classroom_member", Path(__file__), "room_updates", "two_distributions", "spread")
EVENTS = ("answer", "write", "pick", "leave", "along", "open")
LABELS = (
    "gap", "answer", "placeholder", "send", "change", "or", "own", "truth", "token", "class", "model", "legend",
    "leave", "leave_sure", "note", "handed",
)  # fmt: skip


def data(
    room: Room,
    member: Member,
    key: str,
    version: int,
    asked: Round | None,
    own: Answer | None,
    problem: str,
    t: Translator,
) -> dict[str, Any]:
    """Data of the component. `key`: the member's, for the browser to keep; `own`: the member's answer in the round."""
    values = {
        "room": {"channel": room.channel, "part": "stage", "version": version},
        "keep": {"role": "member", "code": room.code, "key": key},
        "who": t("classroom.member.who", name=wording.name_of(member, t), code=room.code),
        "number": asked.number if asked else 0,
        "problem": problem,
        "leads": bool(room.page),
        "handed": [list(entry) for entry in reversed(room.handed)],
        "labels": {name: t(f"classroom.member.{name}") for name in LABELS}
        | {name: t(f"classroom.line.{name}") for name in ("along", "alone")},
    }
    return values | (_between(room, asked, t) or _stage(asked, own, t))


def _between(room: Room, asked: Round | None, t: Translator) -> dict[str, Any] | None:
    """Between the questions: the teacher's text, where it is shown and newer than the last result."""
    if not room.text or (asked is not None and (asked.result is None or room.text_after < asked.number)):
        return None
    text = {"before": readable_text(room.text), "truth": "", "rest": ""}
    return {"stage": "text", "head": t("classroom.member.text"), **text}


def _stage(asked: Round | None, own: Answer | None, t: Translator) -> dict[str, Any]:
    if asked is None:
        return {"stage": "wait", "told": [t("classroom.member.wait"), t("classroom.member.wait_more")]}
    question = question_of(asked)
    if question is None:
        return {"stage": "spread"}
    head = heading(question, asked.number, t)
    if asked.result is not None:
        result = Result.from_json(asked.result)
        lines = [_own_line(own, result, t), *wording.told(result, t)]
        rows = wording.rows(result, own.tokens if own else (), t)
        first = wording.first_sentences(question, result)
        told = {"told": lines, "first": first, "rows": rows}
        return {"stage": "revealed", "head": head, **wording.passage(question, result), **told}
    answered = ""
    if own is not None:
        first = not own.options and own.typed != own.text.removeprefix("␣")
        key = "classroom.member.first" if first else "classroom.member.given"
        answered = t(key, typed=own.typed, token=own.text)
    return {
        "stage": "open" if asked.state == "open" else "closed",
        "head": head,
        **wording.passage(question, None),
        "options": [list(option) for option in question.options],
        "picked": own.tokens[0] if own is not None and own.options else None,
        "answered": answered,
    }


def _own_line(own: Answer | None, result: Result, t: Translator) -> str:
    if own is None:
        return t("classroom.member.none")
    bar = result.bar(own.tokens)
    p = t("classroom.untold") if bar is None or bar.probability is None else t.percent(bar.probability)
    key = "classroom.member.right" if result.truth and own.tokens == result.truth else "classroom.member.yours"
    return t(key, token=own.text, n=bar.votes if bar else 1, of=result.score.answers, p=p)


def draw(values: dict[str, Any], actions: dict[str, Callable[[dict[str, Any]], None]]) -> None:
    """The component with the functions that handle its events."""
    handlers = {f"on_{name}_change": event_callback("classroom_member", name, actions[name]) for name in EVENTS}
    _component(key="classroom_member", data=values, on_changed_change=lambda: None, **handlers)
