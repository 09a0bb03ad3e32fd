"""The class's distribution and its scores, against plain Python over the softmax of `transformers`."""

from __future__ import annotations

import json
import math
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedModel

from engine.classroom.comparison import Result, compare
from engine.classroom.question import Question, ask_about
from engine.classroom.records import Answer, Member
from engine.classroom.scoreboard import crowd_standing, model_standing, standings
from engine.classroom.tally import Bar, bars, entropy_bits, score_class
from engine.errors import PromptError
from engine.model.model import Model
from engine.quiz.questions import QuizQuestion, guess_token_ids

TEXT = "今天天氣真"


def reference_bits(reference: PreTrainedModel, ids: tuple[int, ...]) -> list[float]:
    """−log₂ of every token's probability after `ids`, by `transformers`."""
    with torch.no_grad():
        logits = reference(torch.tensor([ids])).logits[0, -1].double()
    return [-value / math.log(2) for value in torch.log_softmax(logits, -1).tolist()]


def answers_of(model: Model, question: Question, typed: list[str]) -> list[Answer]:
    asked = QuizQuestion(question.ids, 0, ())
    found = [guess_token_ids(model, asked, text) for text in typed]
    return [Answer(n, text, ids, model.text(ids)) for n, (text, ids) in enumerate(zip(typed, found, strict=True), 1)]


def test_a_round_against_the_softmax_of_transformers(model: Model, reference: PreTrainedModel) -> None:
    question = ask_about(model, model.encode(TEXT), seed=1)
    typed = ["好", "好", "好啊", "熱", "熱", "冷", "糟糕", "龘"]  # the last: several tokens of one character
    answers = answers_of(model, question, typed)
    result = compare(model, question, answers)
    expected_bits = reference_bits(reference, question.ids)
    counts = Counter(answer.tokens for answer in answers)
    several = next(answer.tokens for answer in answers if len(answer.tokens) > 1)
    bits: dict[tuple[int, ...], float] = {tokens: expected_bits[tokens[0]] for tokens in counts if len(tokens) == 1}
    bits[several] = sum(
        reference_bits(reference, (*question.ids, *several[:n]))[token] for n, token in enumerate(several)
    )  # the chain rule
    assert {bar.tokens: bar.votes for bar in result.bars if bar.votes} == counts
    for bar in result.bars:
        expected = bits[bar.tokens] if bar.votes else expected_bits[bar.tokens[0]]
        assert bar.bits == pytest.approx(expected, abs=1e-3) and bar.share == counts[bar.tokens] / len(typed)
    order = sorted(range(len(expected_bits)), key=lambda token: expected_bits[token])
    assert result.best == (order[0],) and {(token,) for token in order[:8]} <= {bar.tokens for bar in result.bars}
    most = max(counts.values())
    assert result.chosen == min((t for t in counts if counts[t] == most), key=lambda tokens: bits[tokens])
    score = result.score
    assert score.answers == 8 and score.chance == math.log2(len(expected_bits)) and score.truth is None
    assert score.guess == pytest.approx(sum(counts[t] * bits[t] for t in counts) / 8, abs=1e-3)
    assert score.best == pytest.approx(expected_bits[order[0]], abs=1e-4)
    assert score.spread == pytest.approx(-sum(n / 8 * math.log2(n / 8) for n in counts.values()))
    assert score.model_spread == pytest.approx(math.fsum(2**-b * b for b in expected_bits), abs=1e-3)
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result
    assert Question.from_json(json.loads(json.dumps(question.to_json()))) == question


def test_four_different_tokens_to_pick_from_with_the_most_probable_one(
    model: Model, reference: PreTrainedModel
) -> None:
    question = ask_about(model, model.encode(TEXT), seed=3)
    expected_bits = reference_bits(reference, question.ids)
    assert len({text for _, text in question.options}) == 4 and question.before == TEXT
    assert min(range(len(expected_bits)), key=lambda token: expected_bits[token]) in [
        token for token, _ in question.options
    ]


def test_a_question_of_the_quiz_has_a_true_token(model: Model, reference: PreTrainedModel) -> None:
    text = "他們在公園裡玩得很開心，然後一起回家。"
    ids = model.encode(text)
    question = ask_about(model, ids[:6], seed=1, truth=ids[6], rest=ids[7:])
    assert model.text(ids[:7]) + question.rest == text and ids[6] in [token for token, _ in question.options]
    answers = [Answer(n, "", (token,), "") for n, token in enumerate([ids[6], ids[6], question.options[0][0]], 1)]
    answers[2] = Answer(3, "", (next(t for t, _ in question.options if t != ids[6]),), "")
    result = compare(model, question, answers)
    assert result.truth == (ids[6],) == result.chosen and result.score.hits == 2
    assert result.score.truth == pytest.approx(reference_bits(reference, ids[:6])[ids[6]], abs=1e-3)


def test_a_round_without_answers_has_no_score_of_the_class(model: Model) -> None:
    result = compare(model, ask_about(model, model.encode(TEXT), seed=1), [])
    assert (result.chosen, result.score.answers, result.score.guess, result.score.spread) == ((), 0, None, 0.0)
    assert len(result.bars) == 8 and {bar.share for bar in result.bars} == {0.0}


def test_a_text_that_is_full_or_ends_within_a_character_is_refused(model: Model) -> None:
    half = guess_token_ids(model, QuizQuestion(model.encode(TEXT), 0, ()), "龘")[:1]
    with pytest.raises(PromptError) as refused:
        ask_about(model, (*model.encode(TEXT), *half), seed=1)
    assert refused.value.code == "room_pending"
    with pytest.raises(PromptError) as refused:
        ask_about(model, model.encode("好" * 3 * model.context_length)[: model.context_length], seed=1)
    assert refused.value.code == "context"


@given(st.lists(st.integers(0, 6), max_size=40), st.lists(st.floats(0, 50), min_size=7, max_size=7))
def test_shares_and_scores_of_any_votes(votes: list[int], bits: list[float]) -> None:
    counts: Counter[tuple[int, ...]] = Counter((token,) for token in votes)
    found = bars(counts, {(t,): str(t) for t in range(7)}, {(t,): bits[t] for t in range(7)})
    total = sum(Fraction(bar.votes, len(votes)) for bar in found) if votes else 0
    assert total == (1 if votes else 0) and len(found) == 7
    assert all((a.votes, -(a.bits or 0)) >= (b.votes, -(b.bits or 0)) for a, b in pairwise(found))
    score = score_class(found, min(bits), 7, 1.0, (votes[0],) if votes else None)
    assert score.guess == (pytest.approx(sum(bits[v] for v in votes) / len(votes)) if votes else None)
    assert score.guess is None or score.guess >= score.best - 1e-9
    assert 0 <= score.spread <= math.log2(max(1, len(set(votes)))) + 1e-9
    assert score.hits == (votes.count(votes[0]) if votes else 0)


def test_bits_that_a_server_does_not_tell_leave_the_mean_open() -> None:
    known, unknown = Bar((1,), "a", 2, 0.5, 3.0), Bar((2,), "b", 2, 0.5, None)
    assert score_class([known, unknown], 3.0, 8, 1.0).guess is None and unknown.probability is None
    assert score_class([known, Bar((2,), "b", 0, 0.0, None)], 3.0, 8, 1.0).guess == 3.0
    assert score_class([known, Bar((2,), "b", 2, 0.5, math.inf)], 3.0, 8, 1.0).guess == math.inf
    assert entropy_bits([1] * 8) == 3.0


def test_the_scoreboard_counts_hits_then_bits_then_arrival() -> None:
    score = score_class([], 1.0, 4, 1.0)
    table = (Bar((1,), "a", 1, 0.5, 1.0), Bar((2,), "b", 1, 0.5, 3.0), Bar((3,), "c", 0, 0.0, None))
    results = [Result(table, (1,), (1,), truth, score) for truth in ((1,), (2,))]
    picks = {1: [3, 2], 2: [2, 2], 3: [1, 1], 4: [], 5: [1, 1]}
    rounds = [
        (result, [Answer(who, "", (tokens[n],), "") for who, tokens in picks.items() if tokens])
        for n, result in enumerate(results)
    ]
    lines = standings([Member(n, "", "") for n in picks], rounds)
    assert [(s.member and s.member.number, s.rounds, s.hits, s.bits) for s in lines] == [
        (3, 2, 1, 1.0), (5, 2, 1, 1.0), (2, 2, 1, 3.0), (1, 2, 1, None), (4, 0, 0, None),
    ]  # fmt: skip
    assert (model_standing(results).hits, model_standing(results).bits) == (1, 1.0)
    chosen = [Result(table, token, (1,), (2,), score) for token in ((2,), (1,), ())]
    assert (crowd_standing(chosen).rounds, crowd_standing(chosen).hits, crowd_standing(chosen).bits) == (2, 1, 2.0)
    assert crowd_standing([]).bits is None and crowd_standing([Result(table, (3,), (1,), (), score)]).bits is None
