"""Component: a round of the quiz (question or revealed answer) or the summary of a game.

The data contains nothing of the answer before there is a guess. The component (`round_view.js`) reports `draft` and
`guess` ({turn, text}), `choose` ({turn, token}), `go` and `again` ({turn}).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.components.text.readable_text import readable_text
from pages.i18n.translator import Translator
from pages.quiz.summary import summary
from pages.quiz.wording import format_bits, format_chance

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.scoring import Outcome
    from pages.quiz.state import QuizState

TOP_CANDIDATES = 8  # most probable tokens in the table
LABELS = (
    "label", "gap", "guess", "go", "result", "again", "choose", "you", "model", "text", "token", "probability", "bits",
    "rank", "round", "before", "hits", "mean", "perplexity", "legend", "who", "line",
)  # fmt: skip

_component = register("quiz_guesses", Path(__file__))


def data(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
    """Data of the component for the current stage."""
    stage = "summary" if quiz.finished else "reveal" if quiz.revealed else "ask"
    stage_data = {"ask": question, "reveal": reveal, "summary": summary}[stage](quiz, model, t)
    return {"stage": stage, "turn": quiz.turn} | stage_data


def header(quiz: QuizState, t: Translator) -> dict[str, Any]:
    """Number of the round, and hits so far."""
    hits, model_hits = sum(o.hit for o in quiz.outcomes), sum(o.model_hit for o in quiz.outcomes)
    return {
        "head": t("quiz.head", round=quiz.round_index + 1, of=len(quiz.questions)),
        "score": t("quiz.score", you=hits, model=model_hits) if quiz.outcomes else "",
    }


def question(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
    """The text before the question, and the draft or the options ([token id, display text])."""
    from engine.quiz import questions

    options: list[list[Any]] = []
    if quiz.mode == "choose":
        token_ids = questions.options(model, quiz.question, quiz.seed)
        pending = model.vocabulary.pending(quiz.question.before)
        options = [[i, model.vocabulary.label(i, pending)] for i in token_ids]
    problem = quiz.problem
    return header(quiz, t) | {
        "before": readable_text(model.text(quiz.question.before)),
        "mode": quiz.mode,
        "options": options,
        "draft": quiz.draft,
        "placeholder": t("quiz.placeholder"),
        "note": t(f"quiz.note.{quiz.mode}"),
        "problem": t(f"error.{problem.code}", **problem.values) if problem else "",
    }


def reveal(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
    """The whole text, sentences about the guess, and the table of candidates."""
    current, outcome = quiz.question, quiz.outcomes[quiz.round_index]
    before, through = model.text(current.before), model.text((*current.before, current.truth))
    whole = model.text((*current.before, current.truth, *current.rest))
    space = " " if through[len(before) :].startswith(" ") else ""
    problem = quiz.problem
    return header(quiz, t) | {
        "before": readable_text(before) + space,
        "truth": readable_text(through[len(before) :].removeprefix(" ")),
        "rest": readable_text(whole[len(through) :]),
        "told": verdict(quiz, model, t),
        "rows": candidate_rows(outcome, model, current.before, t),
        "last": quiz.round_index + 1 == len(quiz.questions),
        "problem": t(f"error.{problem.code}", **problem.values) if problem else "",
    }


def verdict(quiz: QuizState, model: Model, t: Translator) -> list[str]:
    """Who was right, which token of the typed text was used, and the probability of the guess under the model."""
    outcome = quiz.outcomes[quiz.round_index]
    same = outcome.guess.token_ids == outcome.best.token_ids
    if outcome.hit:
        case = "both" if outcome.model_hit else "you"
    else:
        case = "model" if outcome.model_hit else "same" if same else "nobody"
    lines = [t(f"quiz.told.{case}")]
    typed = quiz.draft.strip()
    if not outcome.options and typed != outcome.guess.text.removeprefix("␣"):
        lines.append(t("quiz.told.first", typed=readable_text(typed[:40]), token=outcome.guess.text))
    values = {
        name: {"p": format_chance(guess.probability, t), "token": guess.text}
        for name, guess in (("you", outcome.guess), ("text", outcome.truth))
    }
    key = "quiz.told.hit" if outcome.hit else "quiz.told.worth"
    flat = {f"{name}_{field}": value for name, fields in values.items() for field, value in fields.items()}
    return [*lines, t(key, **flat)]


def candidate_rows(outcome: Outcome, model: Model, before: Sequence[int], t: Translator) -> list[dict[str, Any]]:
    """The model's most probable tokens, the guess and the true token if they are not among them, then all others.

    Each row: {text, p (width of the bar), probability, bits, rank, marks: any of you, model, text; others: bool}.
    """
    from engine.quiz import questions

    distribution = model.distribution(before)
    position = questions.QuizQuestion(tuple(before), outcome.truth.token_ids[0], ())
    guesses = [questions.score_guess(model, position, (int(i),)) for i in distribution.order[:TOP_CANDIDATES]]
    known = {guess.token_ids for guess in guesses}
    more = {g.token_ids: g for g in (outcome.truth, outcome.guess) if g.token_ids not in known}
    guesses += sorted(more.values(), key=lambda guess: guess.bits)
    by_mark = {"you": outcome.guess, "model": outcome.best, "text": outcome.truth}
    rows = []
    for guess in guesses:
        single = len(guess.token_ids) == 1
        rank = f"{distribution.candidate(guess.token_ids[0]).rank:,}" if single else "—"
        marks = [mark for mark, marked in by_mark.items() if marked.token_ids == guess.token_ids]
        rows.append(_row(guess.text, guess.probability, guess.bits, rank, marks, t))
    single_ids = [guess.token_ids[0] for guess in guesses if len(guess.token_ids) == 1]
    rest, _ = distribution.others(single_ids)
    count = distribution.size - len(single_ids)
    row = _row(t("quiz.others", count=f"{count:,}"), rest, math.inf, "", [], t)
    return [*rows, row | {"bits": "", "others": True}]


def _row(text: str, p: float, bits: float, rank: str, marks: list[str], t: Translator) -> dict[str, Any]:
    numbers = {"probability": t.percent(p), "bits": format_bits(bits, t), "rank": rank}
    return {"text": text, "p": p, "marks": marks, "others": False} | numbers


def draw(
    component_data: dict[str, Any], t: Translator, actions: dict[str, Callable[[dict[str, Any]], None]], key: str
) -> None:
    """`component_data`: result of `data` or `summary.rounds`; `actions`: callback of each event, by its name."""
    labels = {name: t(f"quiz.word.{name}") for name in LABELS}
    callbacks = {f"on_{name}_change": event_callback(key, name, action) for name, action in actions.items()}
    _component(key=key, data=component_data | {"labels": labels}, **callbacks)
