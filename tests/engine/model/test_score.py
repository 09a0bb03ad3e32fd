"""Teacher forcing: log-probability and rank of each token of a text, against one forward pass of `transformers`."""

from __future__ import annotations

import math

import pytest
import torch

import engine
from tests.engine.conftest import Tiny


@pytest.mark.slow
def test_log_probabilities_and_ranks_equal_the_reference(each: Tiny) -> None:
    for ids in each.prefixes(100):
        score = each.model.score(ids)
        logits = each.forward(ids).logits[0]  # (T, V)
        log_softmax = torch.log_softmax(logits, dim=-1)
        assert score.token_ids == ids
        assert len(score.log_probabilities) == len(score.ranks) == len(ids)
        assert score.log_probabilities[0] is None and score.ranks[0] is None
        for t in range(1, len(ids)):
            got, rank = score.log_probabilities[t], score.ranks[t]
            assert got is not None and rank is not None
            assert abs(got - float(log_softmax[t - 1, ids[t]])) < 1e-4
            value = logits[t - 1, ids[t]]
            above = int((logits[t - 1] > value + 1e-4).sum())  # bit-identical logits cannot be required
            above_or_equal = int((logits[t - 1] > value - 1e-4).sum())
            assert above + 1 <= rank <= above_or_equal


def test_rank_is_the_place_among_the_candidates(each: Tiny) -> None:
    for ids in each.prefixes(20):
        ranks = each.model.score(ids).ranks
        for t in range(1, len(ids)):
            assert each.model.distribution(ids[:t]).candidate(ids[t]).rank == ranks[t]


def test_sum_and_perplexity(gpt2: Tiny) -> None:
    ids = gpt2.model.encode("the cat sat on the mat")
    score = gpt2.model.score(ids)
    predicted = [value for value in score.log_probabilities if value is not None]
    assert score.log_probability == pytest.approx(sum(predicted))
    with torch.inference_mode():
        loss = gpt2.reference(input_ids=torch.tensor([ids]), labels=torch.tensor([ids])).loss
    assert score.perplexity == pytest.approx(math.exp(float(loss)), rel=1e-4)


def test_a_single_token_predicts_nothing(gpt2: Tiny) -> None:
    score = gpt2.model.score([5])
    assert (score.log_probabilities, score.ranks, score.log_probability, score.perplexity) == ((None,), (None,), 0, 1)


def test_score_of_what_was_written_equals_its_steps(each: Tiny) -> None:
    ids = each.prefixes(1, seed=5)[0]
    steps = list(engine.generate(each.model, ids, "sample", seed=7, max_new_tokens=6))
    score = each.fresh().score((*ids, *(s.token_id for s in steps)))
    for step, value in zip(steps, score.log_probabilities[len(ids) :], strict=True):
        assert value == pytest.approx(step.log_probability, abs=1e-4)
