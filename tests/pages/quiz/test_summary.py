"""Sentences of the quiz summary for every outcome of a game."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.quiz.scoring import Guess, Outcome, score_game
from pages.i18n.translator import Translator
from pages.quiz import bits_chart, summary
from tests.pages.sentences import number, which

LANGUAGES = ("zh_Hant", "en")


def make_outcomes(*rounds: tuple[int, int, int], options: int = 0) -> list[Outcome]:
    """Outcomes of rounds (guess, truth, best); token i has i bits."""
    outcomes = []
    for token_ids in rounds:
        guess, truth, best = (Guess((i,), f"t{i}", float(i)) for i in token_ids)
        outcomes.append(Outcome(guess, truth, best, vocabulary=16, options=options))
    return outcomes


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_is_what_happened(language: str) -> None:
    t = Translator(language)

    def sentences(outcomes: list[Outcome]) -> list[str]:
        return summary.sentences(outcomes, score_game(outcomes), t)

    def expected(case: str, **values: object) -> str:
        return t(f"quiz.end.{case}", **values)

    both, you, model, nobody = (1, 1, 1), (2, 2, 1), (3, 1, 1), (9, 4, 1)
    lines = sentences(make_outcomes(you, you, model))
    assert lines[0] == expected("won", you=2, model=1, of=3)
    assert lines[1] == expected("you_alone", rounds=t("quiz.and").join("12")) and lines[2] == expected(
        "model_alone", rounds="3"
    )
    assert sentences(make_outcomes(model, nobody))[0] == expected("lost", you=0, model=1, of=2)
    assert sentences(make_outcomes(both, nobody))[0] == expected("draw", you=1, model=1, of=2)
    assert sentences(make_outcomes(nobody))[0] == expected("nobody", you=0, model=0, of=1)
    assert len(sentences(make_outcomes(both))) == 3  # nobody was right alone
    assert sentences(make_outcomes(nobody))[1] == expected("above", bits="9.0", n="512", chance="4.0")
    assert sentences(make_outcomes(you))[2] == expected("below", bits="2.0", n="4.0", chance="4.0")
    assert sentences(make_outcomes(nobody))[-1] == expected("unexpected", bits="9.0", text="4.0")
    assert sentences(make_outcomes((2, 4, 1)))[-1] == expected("expected", bits="2.0", text="4.0")
    assert sentences(make_outcomes(both))[-1] == expected("alike", bits="1.0", text="1.0")
    assert expected("choices", n="0.5") in sentences(make_outcomes(both, you, options=4))
    ruled_out = dataclasses.replace(make_outcomes(nobody)[0], guess=Guess((5,), "x", math.inf))
    assert "∞" in sentences([ruled_out])[1] and len(bits_chart.points([ruled_out], t)) == 2


bits = st.integers(390, 410).map(lambda n: n / 100) | st.floats(0, 40)


@given(st.lists(st.tuples(bits, bits, bits), min_size=1, max_size=4))
def test_comparisons_hold_for_the_numbers_that_are_displayed(rounds: list[tuple[float, float, float]]) -> None:
    outcomes = []
    for values in rounds:
        guess, truth, best = (Guess((i,), f"t{i}", value) for i, value in enumerate(values))
        outcomes.append(Outcome(guess, truth, best, vocabulary=16, options=0))
    lines = summary.sentences(outcomes, score_game(outcomes), Translator("en"))
    name, shown = which(lines[-2], "quiz.end", ("below", "above"))
    own, chance = number(shown["bits"]), number(shown["chance"])
    assert (name == "below") == (own < chance)
    name, shown = which(lines[-1], "quiz.end", ("alike", "expected", "unexpected"))
    text = number(shown["text"])
    assert name == ("alike" if text == own else "expected" if own < text else "unexpected")
