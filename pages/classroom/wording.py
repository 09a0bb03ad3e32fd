"""Rows and sentences of a round's result: numbers of both distributions, what they mean in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from engine.classroom.comparison import Result
from engine.classroom.question import Question
from engine.classroom.records import Member
from engine.classroom.scoreboard import Standing
from engine.classroom.tally import Bar, Tokens
from engine.errors import EngineError
from engine.quiz.scoring import perplexity
from pages.components.text.readable_text import readable_text
from pages.i18n.translator import Translator

MOST_VOTED, MOST_PROBABLE = 8, 5  # rows of a result: by votes, and by the model's probability
BOARD_ROWS = 10  # of the scoreboard: the first places, so that nobody is shown last


def problem_text(problem: EngineError | None, t: Translator) -> str:
    """The sentence of an error, "" for none."""
    return t(f"error.{problem.code}", **problem.values) if problem else ""


def name_of(member: Member, t: Translator) -> str:
    """A member's nickname, or the number of arrival."""
    return member.name or t("classroom.nobody", n=member.number)


def passage(question: Question, result: Result | None) -> dict[str, str]:
    """The text before the question, and what follows it once it is revealed."""
    bar = result.bar(result.truth) if result is not None and result.truth else None
    truth = bar.text if bar is not None else ""
    space = " " if truth.startswith("␣") else ""
    rest = readable_text(question.rest) if truth else ""
    return {"before": readable_text(question.before) + space, "truth": truth.removeprefix("␣"), "rest": rest}


def rows(result: Result, own: Tokens, t: Translator) -> list[dict[str, Any]]:
    """Rows of both distributions: tokens with votes, the model's most probable ones, all others together.

    text, votes; share, voted: of the class, as a width and in words; p, probability: of the model; marks: `own` for the
    visitor's answer, `truth` for the token that follows; others: whether it is the row of all others.
    """
    voted_for = [bar for bar in result.bars if bar.votes][:MOST_VOTED]
    probable = sorted(result.bars, key=lambda bar: math.inf if bar.bits is None else bar.bits)[:MOST_PROBABLE]
    wanted = {bar.tokens for bar in (*voted_for, *probable)} | {own, result.truth}
    shown = [bar for bar in result.bars if bar.tokens in wanted]
    table = [_row(bar, result, own, t) for bar in shown]
    votes = result.score.answers - sum(bar.votes for bar in shown)
    # Of the model what is not shown; a character of several tokens is a part of its first token's share.
    p = max(0.0, 1.0 - math.fsum(bar.probability or 0.0 for bar in shown))
    share = votes / result.score.answers if votes else 0.0
    voted, probability = _voted(votes, share, t), t.percent(p)
    table.append(
        {"text": t("classroom.others"), "share": share, "voted": voted, "p": p, "probability": probability,
         "marks": [], "others": True}
    )  # fmt: skip
    return table


def _row(bar: Bar, result: Result, own: Tokens, t: Translator) -> dict[str, Any]:
    marks = [name for name, tokens in (("own", own), ("truth", result.truth)) if tokens and tokens == bar.tokens]
    p = bar.probability
    return {
        "text": bar.text,
        "share": bar.share,
        "voted": _voted(bar.votes, bar.share, t),
        "p": p or 0.0,
        "probability": t("classroom.untold") if p is None else t.percent(p),
        "marks": marks,
        "others": False,
    }


def _voted(votes: int, share: float, t: Translator) -> str:
    return t("classroom.votes", n=votes, share=t.percent(share)) if votes else "–"


def told(result: Result, t: Translator) -> list[str]:
    """Sentences about a result: the most chosen token and the model's, the true one, bits, perplexities."""
    score = result.score
    chosen, best, truth = (result.bar(tokens) for tokens in (result.chosen, result.best, result.truth))
    assert best is not None
    model = {"model": best.text, "p": t.percent(best.probability or 0.0)}
    if chosen is None:
        return [t("classroom.told.nobody", **model)]
    tied = sum(bar.votes == chosen.votes for bar in result.bars)
    votes = {"token": chosen.text, "n": chosen.votes, "of": score.answers} | model
    if tied > 1:
        lines = [t("classroom.told.tied", count=tied, **votes)]
    else:
        lines = [t("classroom.told.same" if result.chosen == result.best else "classroom.told.other", **votes)]
    if truth is not None:
        right = "classroom.told.truth_model" if result.best == result.truth else "classroom.told.truth"
        p = t("classroom.untold") if truth.probability is None else t.percent(truth.probability)
        lines.append(t(right, token=truth.text, n=score.hits, of=score.answers, p=p))
    if score.guess is not None:
        lines.append(
            t("classroom.told.bits", guess=t.number(score.guess), best=t.number(score.best),
              chance=t.number(score.chance))
        )  # fmt: skip
    spread = t("classroom.told.spread", n=_perplexity(score.spread, t), model=_perplexity(score.model_spread, t))
    return [*lines, spread]


def first_sentences(question: Question, result: Result) -> int:
    """How many of the first sentences of `told` come before the bars: in a game, what was right as well."""
    return 2 if question.game is not None and result.score.answers else 1


def _perplexity(bits: float, t: Translator) -> str:
    value = perplexity(bits)
    return t.number(value, 1 if value < 100 else 0)


def board(
    standings: Sequence[Standing], crowd: Standing, model: Standing, own: int | None, named: bool, t: Translator
) -> dict[str, Any]:
    """Scoreboard of a game: the first places, the visitor's own, the mean, the class as one player, the model.

    Without nicknames only the visitor's own line, if there is one, and the class.
    """
    places = list(enumerate(standings, 1))
    wanted = places[:BOARD_ROWS] if named else []
    wanted += [line for line in places if line not in wanted and own is not None and _number(line[1]) == own]
    lines = [
        (str(place), name_of(standing.member, t) if standing.member else "", standing, _number(standing) == own)
        for place, standing in wanted
    ]
    table = [_board_row(place, name, standing, marked, t) for place, name, standing, marked in lines]
    taking_part = [standing for standing in standings if standing.rounds]
    if taking_part:
        hits = sum(standing.hits for standing in taking_part) / len(taking_part)
        bits = [standing.bits for standing in taking_part]
        known = [value for value in bits if value is not None]
        mean = math.fsum(known) / len(known) if known and len(known) == len(bits) else None
        table.append(_cells("", t("classroom.board.mean", n=len(taking_part)), t.number(hits), mean, False, t))
    table.append(_board_row("", t("classroom.board.crowd"), crowd, False, t))
    table.append(_board_row("", t("classroom.board.model"), model, False, t))
    columns = [t(f"classroom.board.{name}") for name in ("place", "name", "hits", "bits")]
    return {"columns": columns, "rows": table, "note": t("classroom.board.note")}


def _number(standing: Standing) -> int:
    return standing.member.number if standing.member else 0


def _board_row(place: str, name: str, standing: Standing, marked: bool, t: Translator) -> dict[str, Any]:
    return _cells(place, name, str(standing.hits), standing.bits, marked, t)


def _cells(place: str, name: str, hits: str, bits: float | None, marked: bool, t: Translator) -> dict[str, Any]:
    return {"cells": [place, name, hits, "–" if bits is None else t.number(bits)], "marked": marked}
