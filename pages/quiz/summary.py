"""TODO"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.scoring import GameScore, Guess, Outcome
    from pages.quiz.state import QuizState
from pages.quiz.wording import bits, plain

_CONTEXT = 20  # characters before the place that the summary shows


def summary(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
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


def rounds(quiz: QuizState, model: Model, t: Translator) -> dict[str, Any]:
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
