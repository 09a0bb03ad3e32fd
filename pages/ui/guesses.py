"""A round of the quiz and its end as the component draws them: the question, what was revealed, the summary.

`data` is plain data, and holds nothing of the answer before there is a guess. The component (`guesses.js`) reports
`draft` and `guess` ({turn, text}), `choose` ({turn, token}), `go` and `again` ({turn}).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pages.ui import component
from pages.ui.i18n import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.scoring import GameScore, Guess, Outcome
    from pages.ui.quizzing import Quizzing

TOP = 8  # candidates that are shown
_CONTEXT = 20  # characters before the place that the summary shows
WORDS = (
    "label", "gap", "guess", "go", "result", "again", "choose", "you", "model", "text", "token", "probability", "bits",
    "rank", "round", "before", "hits", "mean", "perplexity", "legend", "who", "line",
)  # fmt: skip

_guesses = component.register("quiz_guesses", "guesses")


def data(quiz: Quizzing, model: Model, t: Translator) -> dict[str, Any]:
    """What is on show now."""
    stage = "summary" if quiz.finished else "reveal" if quiz.revealed else "ask"
    shown = {"ask": question, "reveal": reveal, "summary": summary}[stage](quiz, model, t)
    return {"stage": stage, "turn": quiz.turn} | shown


def head(quiz: Quizzing, t: Translator) -> dict[str, Any]:
    """Which round it is, and how it stands."""
    hits, model_hits = sum(o.hit for o in quiz.outcomes), sum(o.model_hit for o in quiz.outcomes)
    return {
        "head": t("quiz.head", round=quiz.at + 1, of=len(quiz.questions)),
        "score": t("quiz.score", you=hits, model=model_hits) if quiz.outcomes else "",
    }


def question(quiz: Quizzing, model: Model, t: Translator) -> dict[str, Any]:
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


def reveal(quiz: Quizzing, model: Model, t: Translator) -> dict[str, Any]:
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


def told(quiz: Quizzing, model: Model, t: Translator) -> list[str]:
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
    shown = [questions.score_guess(model, place, (int(i),)) for i in distribution.order[:TOP]]
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


def bits(value: float, t: Translator, digits: int = 1) -> str:
    """A number of bits, or of what 2 to its power is."""
    return "∞" if math.isinf(value) else t.number(value, digits)


def plain(text: str) -> str:
    """Text as it stands, spaces and line ends kept; what cannot be seen becomes a mark."""
    from engine.tokenization.unicode import readable

    parts = re.split(r"([ \n\u3000]+)", text)
    return "".join(part if at % 2 else readable(part) for at, part in enumerate(parts) if part)


def summary(quiz: Quizzing, model: Model, t: Translator) -> dict[str, Any]:
    """How it ended: sentences and a table of means."""
    from engine.quiz.scoring import score_game

    found = score_game(quiz.outcomes)
    problem = quiz.problem
    return {
        "head": t("quiz.over"),
        "told": sentences(quiz.outcomes, found, t),
        "totals": totals(found, t),
        "problem": t(f"error.{problem.code}", **problem.values) if problem else "",
    }


def rounds(quiz: Quizzing, model: Model, t: Translator) -> dict[str, Any]:
    """A row each round: where it was, what everybody guessed, what came."""
    return {
        "stage": "rounds",
        "turn": quiz.turn,
        "rounds": [
            {
                "before": _end(model.text(asked.before)),
                "guesses": [_short(o.guess, o.hit, t), _short(o.best, o.model_hit, t)],
                "truth": _short(o.truth, False, t),
            }
            for asked, o in zip(quiz.questions, quiz.outcomes, strict=True)
        ],
    }


def _end(text: str) -> str:
    """The last words of a text."""
    if len(text) <= _CONTEXT:
        return plain(text)
    end = text[-_CONTEXT:]
    cut, space, rest = end.partition(" ")
    return "…" + plain(rest if space and rest and len(cut) < _CONTEXT / 2 else end)


def _short(guess: Guess, hit: bool, t: Translator) -> list[Any]:
    return [guess.text, t("quiz.in_bits", bits=bits(guess.bits, t)), hit]


def totals(found: GameScore, t: Translator) -> list[list[str]]:
    """A row each for the visitor, the model, the real text and chance: name, hits, mean bits, perplexity."""
    from engine.quiz.scoring import perplexity

    of = found.rounds
    by_chance = t.number(found.chance_hits, 1 if found.chance_hits >= 0.1 else 3)
    lines = (
        ("you", f"{found.hits} / {of}", found.guess),
        ("model", f"{found.model_hits} / {of}", found.best),
        ("text", "—", found.truth),
        ("chance", f"{by_chance} / {of}", found.chance),
    )
    made = []
    for name, hits, mean in lines:
        wide = perplexity(mean)
        made.append([t(f"quiz.line.{name}"), hits, bits(mean, t), bits(wide, t, 1 if wide < 100 else 0)])
    return made


def sentences(outcomes: Sequence[Outcome], found: GameScore, t: Translator) -> list[str]:
    """What the game came to, from its own numbers alone."""
    from engine.quiz.scoring import perplexity

    if found.hits == found.model_hits:
        case = "draw" if found.hits else "nobody"
    else:
        case = "won" if found.hits > found.model_hits else "lost"
    lines = [t(f"quiz.end.{case}", you=found.hits, model=found.model_hits, of=found.rounds)]
    for case, which in (
        ("you_alone", [at for at, o in enumerate(outcomes, 1) if o.hit and not o.model_hit]),
        ("model_alone", [at for at, o in enumerate(outcomes, 1) if o.model_hit and not o.hit]),
    ):
        if which:
            lines.append(t(f"quiz.end.{case}", rounds=t("quiz.and").join(map(str, which))))
    if any(outcome.options for outcome in outcomes):
        lines.append(t("quiz.end.choices", n=t.number(found.chance_hits)))
    wide = perplexity(found.guess)
    values = {"bits": bits(found.guess, t), "n": bits(wide, t, 1 if wide < 100 else 0), "chance": bits(found.chance, t)}
    lines.append(t(f"quiz.end.{'below' if found.guess < found.chance else 'above'}", **values))
    mine, real = bits(found.guess, t), bits(found.truth, t)
    more = "alike" if mine == real else "expected" if found.guess < found.truth else "unexpected"
    lines.append(t(f"quiz.end.{more}", bits=mine, text=real))
    return lines


def draw(
    shown: dict[str, Any], dark: bool, t: Translator, acts: dict[str, Callable[[dict[str, Any]], None]], key: str
) -> None:
    """`acts`: what to do with each report, by its name."""
    labels = {word: t(f"quiz.word.{word}") for word in WORDS}
    callbacks = {f"on_{name}_change": component.report(key, name, act) for name, act in acts.items()}
    _guesses(key=key, data=shown | {"dark": dark, "labels": labels}, **callbacks)
