"""What the quiz says at its end is what happened, in every case."""

from __future__ import annotations

import dataclasses
import math

import pytest

from engine.quiz.scoring import Guess, Outcome, score_game
from pages.i18n.translator import Translator
from pages.quiz import bits_chart, summary

LANGUAGES = ("zh_Hant", "en")


def made(*rounds: tuple[int, int, int], options: int = 0) -> list[Outcome]:
    """Rounds of (guess, truth, best); token i has i bits."""
    found = []
    for three in rounds:
        mine, real, best = (Guess((i,), f"t{i}", float(i)) for i in three)
        found.append(Outcome(mine, real, best, vocabulary=16, options=options))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_is_what_happened(language: str) -> None:
    t = Translator(language)

    def told(outcomes: list[Outcome]) -> list[str]:
        return summary.sentences(outcomes, score_game(outcomes), t)

    def says(case: str, **values: object) -> str:
        return t(f"quiz.end.{case}", **values)

    both, you, model, nobody = (1, 1, 1), (2, 2, 1), (3, 1, 1), (9, 4, 1)
    lines = told(made(you, you, model))
    assert lines[0] == says("won", you=2, model=1, of=3)
    assert lines[1] == says("you_alone", rounds=t("quiz.and").join("12")) and lines[2] == says(
        "model_alone", rounds="3"
    )
    assert told(made(model, nobody))[0] == says("lost", you=0, model=1, of=2)
    assert told(made(both, nobody))[0] == says("draw", you=1, model=1, of=2)
    assert told(made(nobody))[0] == says("nobody", you=0, model=0, of=1)
    assert len(told(made(both))) == 3  # nobody was right alone
    assert told(made(nobody))[1] == says("above", bits="9.0", n="512", chance="4.0")
    assert told(made(you))[2] == says("below", bits="2.0", n="4.0", chance="4.0")
    assert told(made(nobody))[-1] == says("unexpected", bits="9.0", text="4.0")
    assert told(made((2, 4, 1)))[-1] == says("expected", bits="2.0", text="4.0")
    assert told(made(both))[-1] == says("alike", bits="1.0", text="1.0")
    assert says("choices", n="0.5") in told(made(both, you, options=4))
    ruled_out = dataclasses.replace(made(nobody)[0], guess=Guess((5,), "x", math.inf))
    assert "∞" in told([ruled_out])[1] and len(bits_chart.points([ruled_out], t)) == 2
