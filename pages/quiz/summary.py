"""Summary of a finished game: sentences, totals and a table of the rounds, as data for the round view component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pages.components.text.readable_text import readable_text
from pages.i18n.translator import Translator
from pages.quiz.wording import format_bits

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.scoring import GameScore, Guess, Outcome
    from pages.quiz.state import QuizState

_CONTEXT = 20  # characters of the text before a question


def summary(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
    """Sentences, and the table of hits and mean bits."""
    from engine.quiz.scoring import score_game

    score = score_game(quiz.outcomes)
    problem = quiz.problem
    return {
        "head": t("quiz.over"),
        "told": sentences(quiz.outcomes, score, t),
        "totals": totals(score, t),
        "problem": t(f"error.{problem.code}", **problem.values) if problem else "",
    }


def rounds(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
    """One row for each round: end of the text before the question, both guesses, and the true token."""
    return {
        "stage": "rounds",
        "turn": quiz.turn,
        "rounds": [
            {
                "before": _last_words(model.text(question.before)),
                "guesses": [_cell(o.guess, o.hit, t), _cell(o.best, o.model_hit, t)],
                "truth": _cell(o.truth, False, t),
            }
            for question, o in zip(quiz.questions, quiz.outcomes, strict=True)
        ],
    }


def _last_words(text: str) -> str:
    """The last _CONTEXT characters of a text, without a word cut off at their beginning."""
    if len(text) <= _CONTEXT:
        return readable_text(text)
    end = text[-_CONTEXT:]
    partial_word, space, rest = end.partition(" ")
    return "…" + readable_text(rest if space and rest and len(partial_word) < _CONTEXT / 2 else end)


def _cell(guess: Guess, hit: bool, t: Translator) -> list[Any]:
    """[display text, bits, hit]."""
    return [guess.text, t("quiz.in_bits", bits=format_bits(guess.bits, t)), hit]


def totals(score: GameScore, t: Translator) -> list[list[str]]:
    """Rows of the visitor, the model, the true text and chance: name, hits, mean bits, perplexity."""
    from engine.quiz.scoring import perplexity

    count = score.rounds
    chance_hits = t.number(score.chance_hits, 1 if score.chance_hits >= 0.1 else 3)
    lines = (
        ("you", f"{score.hits} / {count}", score.guess),
        ("model", f"{score.model_hits} / {count}", score.best),
        ("text", "—", score.truth),
        ("chance", f"{chance_hits} / {count}", score.chance),
    )
    rows = []
    for name, hits, mean in lines:
        value = perplexity(mean)
        digits = 1 if value < 100 else 0
        rows.append([t(f"quiz.line.{name}"), hits, format_bits(mean, t), format_bits(value, t, digits)])
    return rows


def sentences(outcomes: Sequence[Outcome], score: GameScore, t: Translator) -> list[str]:
    """Winner, rounds that only one side got right, expected hits by chance, and mean bits compared with chance and with
    the true text."""
    from engine.quiz.scoring import perplexity

    if score.hits == score.model_hits:
        case = "draw" if score.hits else "nobody"
    else:
        case = "won" if score.hits > score.model_hits else "lost"
    lines = [t(f"quiz.end.{case}", you=score.hits, model=score.model_hits, of=score.rounds)]
    for case, numbers in (
        ("you_alone", [number for number, o in enumerate(outcomes, 1) if o.hit and not o.model_hit]),
        ("model_alone", [number for number, o in enumerate(outcomes, 1) if o.model_hit and not o.hit]),
    ):
        if numbers:
            lines.append(t(f"quiz.end.{case}", rounds=t("quiz.and").join(map(str, numbers))))
    if any(outcome.options for outcome in outcomes):
        lines.append(t("quiz.end.choices", n=t.number(score.chance_hits)))
    value = perplexity(score.guess)
    values = {
        "bits": format_bits(score.guess, t), "n": format_bits(value, t, 1 if value < 100 else 0),
        "chance": format_bits(score.chance, t),
    }  # fmt: skip
    below = score.guess < score.chance and values["bits"] != values["chance"]
    lines.append(t(f"quiz.end.{'below' if below else 'above'}", **values))
    own, true = format_bits(score.guess, t), format_bits(score.truth, t)
    comparison = "alike" if own == true else "expected" if score.guess < score.truth else "unexpected"
    lines.append(t(f"quiz.end.{comparison}", bits=own, text=true))
    return lines
