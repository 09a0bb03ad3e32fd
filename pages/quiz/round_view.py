"""A round of the quiz and its end as the component draws them: the question, what was revealed, the summary.

`data` is plain data, and holds nothing of the answer before there is a guess. The component (`guesses.js`) reports
`draft` and `guess` ({turn, text}), `choose` ({turn, token}), `go` and `again` ({turn}).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator
from pages.quiz.summary import summary
from pages.quiz.wording import bits, plain

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.scoring import Outcome
    from pages.quiz.state import QuizState

SHOWN_CANDIDATES = 8  # candidates that are shown
WORDS = (
    "label", "gap", "guess", "go", "result", "again", "choose", "you", "model", "text", "token", "probability", "bits",
    "rank", "round", "before", "hits", "mean", "perplexity", "legend", "who", "line",
)  # fmt: skip

_guesses = register("quiz_guesses", Path(__file__))


def data(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
    """What is on show now."""
    stage = "summary" if quiz.finished else "reveal" if quiz.revealed else "ask"
    shown = {"ask": question, "reveal": reveal, "summary": summary}[stage](quiz, model, t)
    return {"stage": stage, "turn": quiz.turn} | shown


def head(quiz: QuizState, t: Translator) -> dict[str, Any]:
    """Which round it is, and how it stands."""
    hits, model_hits = sum(o.hit for o in quiz.outcomes), sum(o.model_hit for o in quiz.outcomes)
    return {
        "head": t("quiz.head", round=quiz.at + 1, of=len(quiz.questions)),
        "score": t("quiz.score", you=hits, model=model_hits) if quiz.outcomes else "",
    }


def question(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
    """The text up to the place, and a box or four options."""
    from engine.quiz import questions

    options: list[list[Any]] = []
    if quiz.mode == "choose":
        given = questions.options(model, quiz.question, quiz.seed)
        options = [[i, model.vocabulary.label(i, model.vocabulary.pending(quiz.question.before))] for i in given]
    problem = quiz.problem
    return head(quiz, t) | {
        "before": plain(model.text(quiz.question.before)),
        "mode": quiz.mode,
        "options": options,
        "draft": quiz.draft,
        "placeholder": t("quiz.placeholder"),
        "note": t(f"quiz.note.{quiz.mode}"),
        "problem": t(f"error.{problem.code}", **problem.values) if problem else "",
    }


def reveal(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
    """What came of the guess: the whole text, sentences, and the likeliest tokens with everybody's marked."""
    asked, outcome = quiz.question, quiz.outcomes[quiz.at]
    before, through = model.text(asked.before), model.text((*asked.before, asked.truth))
    whole = model.text((*asked.before, asked.truth, *asked.rest))
    space = " " if through[len(before) :].startswith(" ") else ""
    problem = quiz.problem
    return head(quiz, t) | {
        "before": plain(before) + space,
        "truth": plain(through[len(before) :].removeprefix(" ")),
        "rest": plain(whole[len(through) :]),
        "told": told(quiz, model, t),
        "rows": rows(outcome, model, asked.before, t),
        "last": quiz.at + 1 == len(quiz.questions),
        "problem": t(f"error.{problem.code}", **problem.values) if problem else "",
    }


def told(quiz: QuizState, model: Model, t: Translator) -> list[str]:
    """Who was right, which token of what was typed was looked at, and what the model thought of it."""
    outcome = quiz.outcomes[quiz.at]
    same = outcome.guess.token_ids == outcome.best.token_ids
    if outcome.hit:
        case = "both" if outcome.model_hit else "you"
    else:
        case = "model" if outcome.model_hit else "same" if same else "nobody"
    lines = [t(f"quiz.told.{case}")]
    if not outcome.options and quiz.draft.strip() != outcome.guess.text.removeprefix("␣"):
        lines.append(t("quiz.told.first", typed=plain(quiz.draft.strip()[:40]), token=outcome.guess.text))
    values = {
        name: {"p": t.percent(guess.probability), "bits": bits(guess.bits, t), "token": guess.text}
        for name, guess in (("you", outcome.guess), ("text", outcome.truth))
    }
    key = "quiz.told.hit" if outcome.hit else "quiz.told.worth"
    flat = {f"{name}_{what}": value for name, of in values.items() for what, value in of.items()}
    return [*lines, t(key, **flat)]


def rows(outcome: Outcome, model: Model, before: Sequence[int], t: Translator) -> list[dict[str, Any]]:
    """The model's likeliest tokens, then the guess and the real token where they are not among them, then all others.

    Each {text, p (a number for the bar), probability, bits, rank, marks: some of you, model, text}.
    """
    from engine.quiz import questions

    distribution = model.distribution(before)
    place = questions.QuizQuestion(tuple(before), outcome.truth.token_ids[0], ())
    shown = [questions.score_guess(model, place, (int(i),)) for i in distribution.order[:SHOWN_CANDIDATES]]
    known = {guess.token_ids for guess in shown}
    more = {g.token_ids: g for g in (outcome.truth, outcome.guess) if g.token_ids not in known}
    shown += sorted(more.values(), key=lambda guess: guess.bits)
    whose = {"you": outcome.guess, "model": outcome.best, "text": outcome.truth}
    table = []
    for guess in shown:
        single = len(guess.token_ids) == 1
        rank = f"{distribution.candidate(guess.token_ids[0]).rank:,}" if single else "—"
        marks = [name for name, of in whose.items() if of.token_ids == guess.token_ids]
        table.append(_row(guess.text, guess.probability, guess.bits, rank, marks, t))
    single_ids = [guess.token_ids[0] for guess in shown if len(guess.token_ids) == 1]
    rest, _ = distribution.others(single_ids)
    count = distribution.size - len(single_ids)
    row = _row(t("quiz.others", count=f"{count:,}"), rest, math.inf, "", [], t)
    return [*table, row | {"bits": "", "others": True}]


def _row(text: str, p: float, found: float, rank: str, marks: list[str], t: Translator) -> dict[str, Any]:
    numbers = {"probability": t.percent(p), "bits": bits(found, t), "rank": rank}
    return {"text": text, "p": p, "marks": marks, "others": False} | numbers


def draw(shown: dict[str, Any], t: Translator, acts: dict[str, Callable[[dict[str, Any]], None]], key: str) -> None:
    """`acts`: what to do with each report, by its name."""
    labels = {word: t(f"quiz.word.{word}") for word in WORDS}
    callbacks = {f"on_{name}_change": event_callback(key, name, act) for name, act in acts.items()}
    _guesses(key=key, data=shown | {"labels": labels}, **callbacks)
