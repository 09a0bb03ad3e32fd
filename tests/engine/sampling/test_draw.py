"""Sampling: inverse of the cumulative distribution, frequencies, temperature 0, order of ties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.sampling.distribution import Distribution
from engine.sampling.settings import RANGES
from tests.engine.conftest import Tiny

any_settings = st.builds(
    engine.Settings,
    **{
        name: st.integers(int(low), int(high)) if isinstance(low, int) else st.floats(low, high)
        for name, (low, high) in RANGES.items()
    },
)
almost_one = math.nextafter(1, 0)
some_u = st.one_of(st.floats(0, 1, exclude_max=True), st.sampled_from([0.0, 5e-324, almost_one]))


@settings(max_examples=200)
@given(data=st.data(), chosen=any_settings, u=some_u)
def test_the_token_drawn_is_possible_and_its_interval_holds_u(
    gpt2: Tiny, data: st.DataObject, chosen: engine.Settings, u: float
) -> None:
    distribution = gpt2.model.distribution(data.draw(st.sampled_from(gpt2.prefixes(30))), chosen)
    assert np.isfinite(distribution.probabilities).all()
    assert abs(float(distribution.probabilities.sum(dtype=np.float64)) - 1) < 1e-4
    token = distribution.draw(u)
    candidate = distribution.candidate(token)
    assert candidate.kept and candidate.probability > 0
    low, high = distribution.interval(token)
    assert low <= u < high
    assert candidate.rank <= distribution.last_kept_rank


def test_intervals_tile_the_line_in_the_order_of_the_bars(gpt2: Tiny) -> None:
    for ids in gpt2.prefixes(5):
        for chosen in [engine.Settings(), engine.Settings(temperature=0.5, top_k=7, repetition_penalty=1.5)]:
            distribution = gpt2.model.distribution(ids, chosen)
            end = 0.0
            for token in distribution.order:
                low, high = distribution.interval(int(token))
                assert low == end and high >= low
                assert high - low == pytest.approx(float(distribution.probabilities[token]), abs=1e-6)
                end = high
            assert end == 1.0


@pytest.mark.parametrize(
    "chosen", [engine.Settings(), engine.Settings(temperature=1.7), engine.Settings(top_p=0.8, repetition_penalty=1.4)]
)
def test_frequencies_over_many_seeds_are_the_probabilities(gpt2: Tiny, chosen: engine.Settings) -> None:
    ids = gpt2.model.encode("the cat sat")
    distribution = gpt2.model.distribution(ids, chosen)
    count = 20_000
    drawn = np.bincount(
        [distribution.draw(engine.uniform(seed, len(ids))) for seed in range(count)], minlength=distribution.size
    )
    assert not drawn[distribution.probabilities == 0].any()
    expected = distribution.probabilities * count
    frequent = expected >= 5
    observed = np.append(drawn[frequent], drawn[~frequent].sum())  # rare tokens are pooled
    pooled = np.append(expected[frequent], expected[~frequent].sum())
    observed, pooled = observed[pooled > 0], pooled[pooled > 0]
    chi_square = float(((observed - pooled) ** 2 / pooled).sum())
    freedom = len(pooled) - 1
    assert len(pooled) > 20
    assert abs(chi_square - freedom) < 4 * math.sqrt(2 * freedom)


@given(u=some_u)
def test_temperature_zero_is_the_likeliest_after_the_penalties(gpt2: Tiny, u: float) -> None:
    for ids in gpt2.prefixes(5):
        for penalty, size in [(1.0, 0), (1.8, 0), (1.0, 1)]:
            chosen = engine.Settings(temperature=0.0, repetition_penalty=penalty, no_repeat_ngram_size=size)
            distribution = gpt2.model.distribution(ids, chosen)
            greedy = gpt2.model.distribution(ids, chosen.for_greedy()).argmax()
            assert distribution.draw(u) == distribution.argmax() == greedy
            assert distribution.kept == 1 and distribution.probabilities[greedy] == 1
            # No division by 0: the scaled logits are those of temperature 1.
            unscaled = engine.Settings(repetition_penalty=penalty)
            np.testing.assert_array_equal(distribution.scaled, gpt2.model.distribution(ids, unscaled).scaled)


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-38, 1e-30, 1e-20, 1e-6])
def test_the_coldest_temperatures_come_to_the_same(gpt2: Tiny, temperature: float) -> None:
    for ids in gpt2.prefixes(5):
        cold = gpt2.model.distribution(ids, engine.Settings(temperature=temperature))
        zero = gpt2.model.distribution(ids, engine.Settings(temperature=0))
        np.testing.assert_array_equal(cold.probabilities, zero.probabilities)


def test_of_equal_logits_the_lowest_id_stands_first() -> None:
    logits = np.random.default_rng(0).integers(0, 4, 500).astype(np.float32)
    distribution = Distribution([0], logits, engine.Settings(), str)
    assert distribution.order.tolist() == sorted(range(500), key=lambda token: (-logits[token], token))
    assert distribution.argmax() == distribution.order[0]
    assert [c.rank for c in distribution.top(500)] == list(range(1, 501))
    assert Distribution([0], logits, engine.Settings(temperature=0), str).argmax() == distribution.order[0]


def test_all_others_together(gpt2: Tiny) -> None:
    distribution = gpt2.model.distribution(gpt2.prefixes(1)[0], engine.Settings(top_k=30))
    top = distribution.top(10)
    raw, probability = distribution.others([c.token_id for c in top])
    assert raw + sum(c.raw for c in top) == pytest.approx(1)
    assert probability + sum(c.probability for c in top) == pytest.approx(1)
    assert distribution.raw_cumulative[9] == pytest.approx(1 - raw)
    assert distribution.last_kept_rank == 30


def test_an_unknown_id_is_refused(gpt2: Tiny) -> None:
    distribution = gpt2.model.distribution([5])
    for token in (-1, distribution.size):
        with pytest.raises(IndexError):
            distribution.candidate(token)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [3, 1000, 2**31 - 1])
@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_order_top_ranks_and_draws_of_a_large_vocabulary_are_those_of_a_plain_stable_sort(
    steps: int, temperature: float
) -> None:
    rng = np.random.default_rng(steps)
    logits = (rng.integers(-steps, steps, 20_000) / steps * 9).astype(np.float32)
    logits[rng.integers(0, 20_000, 50)] = -0.0
    logits[rng.integers(0, 20_000, 50)] = -np.inf
    plain = np.argsort(-logits, kind="stable")
    chosen = engine.Settings(temperature=temperature, top_k=300)
    distribution = Distribution([0], logits, chosen, str)
    np.testing.assert_array_equal(distribution.order, plain)
    for n in (0, 1, 20, 300, 9_999, 10_000, 15_000, 20_000, 30_000):
        top = Distribution([0], logits, chosen, str).top(n)  # a new one: its order is not sorted yet
        assert [c.token_id for c in top] == plain[:n].tolist()
        assert [c.rank for c in top] == list(range(1, min(n, 20_000) + 1))
    for at in (0, 1, 77, 5_000, 19_999):
        assert Distribution([0], logits, chosen, str).candidate(int(plain[at])).rank == at + 1
        also = Distribution([0], logits, chosen, str).top(5, int(plain[at]))
        assert [c.rank for c in also] == [1, 2, 3, 4, 5, *([at + 1] if at >= 5 else [])]
    total = np.cumsum(distribution.probabilities[plain].astype(np.float64))
    for u in (0.0, 5e-324, *rng.random(200), almost_one):
        assert distribution.draw(u) == plain[np.searchsorted(total / total[-1], u, side="right")]
