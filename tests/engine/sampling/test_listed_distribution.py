"""A distribution of which a list is known, compared with the whole one that the list was taken from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.sampling.distribution import Distribution, uniform
from engine.sampling.listed_distribution import ListedDistribution, dense_logits
from engine.sampling.settings import Settings

SIZE = 60
TEXT = (1, 2, 3, 1, 2)

logits = st.builds(
    lambda seed, spread: (np.random.default_rng(seed).standard_normal(SIZE) * spread).tolist(),
    st.integers(0, 10_000),
    st.sampled_from([0.1, 1.0, 4.0]),
)
some_settings = st.builds(
    Settings,
    temperature=st.sampled_from([1.0, 0.0, 0.5, 1.7]),
    top_k=st.sampled_from([0, 1, 5, 12, 30]),
    top_p=st.sampled_from([1.0, 0.3, 0.9, 0.999]),
    min_p=st.sampled_from([0.0, 0.01, 0.3]),
    typical_p=st.sampled_from([1.0, 0.6]),
    repetition_penalty=st.sampled_from([1.0, 1.4]),
    no_repeat_ngram_size=st.sampled_from([0, 2]),
)


def both(values: list[float], count: int, settings: Settings) -> tuple[Distribution, ListedDistribution]:
    whole = Distribution(TEXT, np.array(values, dtype=np.float32), settings, str)
    listed = whole.order[:count]
    log_probabilities = np.log(whole.raw[listed].astype(np.float64))
    dense = dense_logits(listed, log_probabilities, SIZE)
    return whole, ListedDistribution(TEXT, dense, settings, str, listed)


@given(values=logits, count=st.integers(1, SIZE))
def test_what_is_known_before_any_filter(values: list[float], count: int) -> None:
    whole, got = both(values, count, Settings())
    listed = whole.order[:count]
    np.testing.assert_allclose(got.raw[listed], whole.raw[listed], rtol=2e-5)
    assert got.unseen == pytest.approx(float(whole.raw[whole.order[count:]].sum()), abs=1e-6)
    assert got.entropy <= whole.entropy + 1e-5, "a lower bound"
    assert got.order[:count].tolist() == listed.tolist()
    top = got.top(SIZE)
    assert [c.token_id for c in top] == listed.tolist()
    assert [c.rank for c in top] == list(range(1, count + 1))
    raw, shown = got.others(listed.tolist())
    assert raw == pytest.approx(got.unseen, abs=1e-9) and shown == 0
    assert got.known == count


@given(values=logits, count=st.integers(1, SIZE), settings=some_settings)
def test_exact_means_as_of_the_whole_vocabulary(values: list[float], count: int, settings: Settings) -> None:
    try:
        whole, got = both(values, count, settings)
    except EngineError:
        return  # nothing is left of the list
    assert float(got.probabilities.sum()) == pytest.approx(1, abs=1e-5)
    assert not got.probabilities[~np.isin(np.arange(SIZE), got.listed)].any(), "nothing unlisted is drawn"
    if got.is_exact:
        np.testing.assert_allclose(got.probabilities, whole.probabilities, atol=2e-5)
        assert got.kept == whole.kept
        assert {c.token_id: c.cut_by for c in got.top(count)} == {c.token_id: c.cut_by for c in whole.top(count)}
    for position in range(20):
        u = uniform(3, position)
        token_id = got.draw(u)
        low, high = got.interval(token_id)
        assert got.knows(token_id) and low <= u < high + 1e-12
    assert got.knows(got.argmax())


@pytest.mark.parametrize(
    ("settings", "exact"),
    [
        (Settings(), False),
        (Settings(top_k=10), True),
        (Settings(top_k=10, temperature=0.5), True),
        (Settings(top_k=11), False),
        (Settings(top_p=0.5), True),
        (Settings(top_p=0.5, temperature=0.5), False),
        (Settings(top_p=0.9999), False),
        (Settings(min_p=0.8, temperature=2.0), True),
        (Settings(temperature=0.0), True),
        (Settings(top_k=3, repetition_penalty=1.2), False),
        (Settings(top_k=3, typical_p=0.5), False),
    ],
)
def test_when_it_is_exact(settings: Settings, exact: bool) -> None:
    values = [-0.1 * i for i in range(SIZE)]
    assert both(values, 10, settings)[1].is_exact is exact
    assert both(values, SIZE, settings)[1].is_exact


def test_other_tokens_are_not_told() -> None:
    got = both([-0.1 * i for i in range(SIZE)], 10, Settings())[1]
    for token_id in (10, SIZE - 1, SIZE, -1):
        assert not got.knows(token_id)
        with pytest.raises(IndexError):
            got.candidate(token_id)
    assert got.with_settings(Settings(top_k=4)).kept == 4


def test_a_list_that_leaves_nothing_over() -> None:
    dense = dense_logits(np.array([3, 1]), np.log([0.75, 0.25]), 5)
    assert math.isinf(dense[0]) and dense[3] == np.float32(math.log(0.75))
    assert ListedDistribution(TEXT, dense, Settings(), str, np.array([3, 1])).unseen == 0
