"""Data of a lesson's question for `question.js`, on the lesson sheet and in the recap of a part."""

from __future__ import annotations

from typing import Any

from pages.course.lesson import Question


def data(question: Question, chosen: int | None) -> dict[str, Any]:
    """The question and its answers; what an answer says, and whether it is right, of the chosen one alone."""
    return {
        "ask": question.ask,
        "answers": [answer.text for answer in question.answers],
        "chosen": chosen,
        "says": "" if chosen is None else question.answers[chosen].says,
        "right": chosen is not None and question.answers[chosen].right,
    }
