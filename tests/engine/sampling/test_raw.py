"""Raw distribution: equal to that of `transformers`, to 1e-5."""

from __future__ import annotations

import numpy as np
import torch

from engine.sampling.distribution import Distribution
from engine.sampling.settings import Settings
from tests.engine.conftest import Tiny


def test_raw_is_the_softmax_over_the_whole_vocabulary(each: Tiny) -> None:
    for ids in each.prefixes(100):
        logits = each.forward(ids).logits[0, -1]  # (V,)
        distribution = each.model.distribution(ids)
        np.testing.assert_allclose(distribution.logits, logits.numpy(), atol=1e-4, rtol=1e-5)
        np.testing.assert_allclose(distribution.raw, torch.softmax(logits, dim=-1).numpy(), atol=1e-5, rtol=0)
        assert distribution.size == each.model.vocabulary.size == len(logits)


def test_without_filters_the_probabilities_are_the_raw_ones(each: Tiny) -> None:
    for ids in each.prefixes(10):
        distribution = each.model.distribution(ids)
        np.testing.assert_array_equal(distribution.probabilities, distribution.raw)
        np.testing.assert_array_equal(distribution.scaled, distribution.logits)
        assert distribution.kept == distribution.size


def test_entropy_is_that_of_the_raw_distribution(gpt2: Tiny) -> None:
    for ids in gpt2.prefixes(10):
        logits = gpt2.forward(ids).logits[0, -1]
        want = torch.distributions.Categorical(logits=logits).entropy()
        assert abs(gpt2.model.distribution(ids).entropy - float(want)) < 1e-4


def test_the_tiny_models_are_no_trivial_ones(each: Tiny) -> None:
    """Distributions of the tiny models are neither uniform nor concentrated on one token: the tests are meaningful."""
    entropies = [each.model.distribution(ids).entropy for ids in each.prefixes(30)]
    assert min(entropies) > 1.0 and max(entropies) < np.log(each.model.vocabulary.size) - 0.3


def test_top_is_ordered_by_the_raw_probability(each: Tiny) -> None:
    for ids in each.prefixes(10):
        distribution = each.model.distribution(ids)
        top = distribution.top(20)
        want = torch.from_numpy(distribution.logits).topk(20)
        assert [c.logit for c in top] == want.values.tolist()
        assert [c.rank for c in top] == list(range(1, 21))
        for c in top:
            assert (c.raw, c.probability) == (distribution.raw[c.token_id], distribution.probabilities[c.token_id])
            assert c == distribution.candidate(c.token_id)
        assert len(distribution.top(10**6)) == distribution.size


def test_probabilities_of_a_large_vocabulary_are_right_to_the_last_digit() -> None:
    """In float32 alone, a sum over so many tokens loses the small ones."""
    for seed, peak in ((0, 0.0), (1, 14.0), (2, 30.0)):
        logits = (np.random.default_rng(seed).standard_normal(151_936) * 2).astype(np.float32)
        logits[5] += peak
        exact = np.exp(logits.astype(np.float64) - np.logaddexp.reduce(logits.astype(np.float64)))
        distribution = Distribution((1,), logits, Settings(temperature=0.9), str)
        np.testing.assert_allclose(distribution.raw, exact, rtol=2e-7, atol=0)
        assert abs(distribution.raw.sum(dtype=np.float64) - 1) < 1e-7
        assert abs(distribution.probabilities.sum(dtype=np.float64) - 1) < 1e-7
