"""Text metrics compared with values computed by hand, and properties that hold for every text."""

from __future__ import annotations

import doctest
import itertools
import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from engine.decoding import text_metrics
from engine.decoding.batch_generation import Cost
from engine.decoding.text_metrics import distinct, measure, ngrams, repeated_ngrams, repetition
from tests.engine.conftest import Tiny

TEXTS = st.lists(st.integers(0, 5), max_size=30)
SIZES = st.integers(1, 6)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(text_metrics).failed == 0


@pytest.mark.parametrize(
    ("texts", "n", "share"),
    [
        ([[1, 2, 3]], 1, 1),
        ([[1, 1, 1, 1]], 1, 1 / 4),
        ([[1, 1, 1, 1]], 2, 1 / 3),
        ([[1, 2, 3], [1, 2, 4]], 1, 4 / 6),
        ([[1, 2, 3], [1, 2, 4]], 2, 3 / 4),
        ([[1, 2], [2, 3]], 2, 1),  # no bigram (2, 2) across the texts
        ([[1], [2]], 2, None),
        ([], 1, None),
        ([[], [5]], 1, 1),
    ],
)
def test_distinct_by_hand(texts: list[list[int]], n: int, share: float | None) -> None:
    assert distinct(texts, n) == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize(
    ("text", "n", "share", "spans"),
    [
        ([1, 2, 3, 4, 5], 4, 0, []),
        ([1, 2, 3, 4, 1, 2, 3, 4], 4, 1 / 5, [(4, 8)]),
        ([7, 7, 7, 7, 7, 7], 4, 2 / 3, [(1, 6)]),
        ([1, 2, 3], 4, None, []),
        ([1, 2, 1, 2, 1, 2], 2, 3 / 5, [(2, 6)]),
        ([1, 2, 9, 1, 2, 1, 2], 2, 2 / 6, [(3, 7)]),  # adjacent spans are merged
    ],
)
def test_repetition_by_hand(text: list[int], n: int, share: float | None, spans: list[tuple[int, int]]) -> None:
    assert repetition(text, n) == (None if share is None else pytest.approx(share))
    assert repeated_ngrams(text, n) == spans


def test_no_ngram_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ngrams([1, 2], 0)


@given(st.lists(TEXTS, max_size=5), SIZES)
def test_distinct_is_a_share_and_the_order_of_texts_is_nothing_to_it(texts: list[list[int]], n: int) -> None:
    share = distinct(texts, n)
    assert share == distinct(texts[::-1], n)
    if share is None:
        assert all(len(text) < n for text in texts)
    else:
        assert 0 < share <= 1


@given(TEXTS, SIZES)
def test_saying_it_all_twice_halves_distinct(text: list[int], n: int) -> None:
    once = distinct([text], n)
    assert distinct([text, text], n) == (None if once is None else pytest.approx(once / 2))


@given(TEXTS, SIZES)
def test_spans_hold_the_repeated_ngrams_and_nothing_else(text: list[int], n: int) -> None:
    spans = repeated_ngrams(text, n)
    marked = {i for start, stop in spans for i in range(start, stop)}
    grams = list(ngrams(text, n))
    repeated = [i for i, gram in enumerate(grams) if gram in grams[:i]]
    assert marked == {i + k for i in repeated for k in range(n)}
    assert all(span[1] < following[0] for span, following in itertools.pairwise(spans))
    assert bool(spans) == bool(repetition(text, n))


@given(TEXTS, SIZES)
def test_repetition_counts_what_occurred_before(text: list[int], n: int) -> None:
    grams = list(ngrams(text, n))
    before = sum(gram in grams[:i] for i, gram in enumerate(grams))
    assert repetition(text, n) == (pytest.approx(before / len(grams)) if grams else None)


def test_measures_by_hand() -> None:
    measures = measure(([1, 2, 1, 2], [math.log(p) for p in (0.5, 0.25, 0.5, 1.0)]))
    assert measures.tokens == 4
    assert measures.log_probability == pytest.approx(math.log(1 / 16))
    assert measures.per_token == pytest.approx(-math.log(2))
    assert measures.perplexity == pytest.approx(2)
    assert (measures.distinct_1, measures.distinct_2, measures.repetition) == (1 / 2, pytest.approx(2 / 3), 0)


def test_several_texts_together_by_hand() -> None:
    measures = measure(([1, 2, 3, 4, 1, 2, 3, 4], [-1.0] * 8), ([5, 6, 7, 8], [-3.0] * 4))
    assert (measures.tokens, measures.log_probability, measures.per_token) == (12, -20, pytest.approx(-20 / 12))
    assert measures.distinct_1 == pytest.approx(8 / 12)
    assert measures.distinct_2 == pytest.approx(7 / 10)
    assert measures.repetition == pytest.approx(1 / 6), "one of five n-grams, and none of one"


@given(TEXTS, st.integers(1, 4))
def test_a_text_that_every_seed_writes_is_counted_for_each(text: list[int], times: int) -> None:
    several, copies = measure((text, [-1.0] * len(text)), times=times), [(text, [-1.0] * len(text))] * times
    assert several == measure(*copies)
    assert several.per_token == (-1 if text else None)
    assert several.repetition == (None if repetition(text) is None else pytest.approx(repetition(text)))


def test_of_nothing_there_is_nothing_to_measure() -> None:
    measures = measure(([], []))
    assert (measures.tokens, measures.log_probability) == (0, 0)
    assert {measures.per_token, measures.perplexity, measures.distinct_1, measures.distinct_2, measures.repetition} == {
        None
    }


def test_a_text_beyond_belief_has_an_infinite_perplexity() -> None:
    assert measure(([1], [-1e6])).perplexity == math.inf


def test_a_token_without_its_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="2 tokens and 1"):
        measure(([1, 2], [-1.0]))


@given(st.lists(st.floats(-50, 0), min_size=1, max_size=30))
def test_perplexity_is_what_an_equal_guess_would_have(log_probabilities: list[float]) -> None:
    measures = measure(([0] * len(log_probabilities), log_probabilities))
    assert measures.perplexity is not None and measures.perplexity >= 1
    assert -len(log_probabilities) * math.log(measures.perplexity) == pytest.approx(measures.log_probability, abs=1e-6)


def test_a_whole_text_has_the_perplexity_that_scoring_gives_it(gpt2: Tiny) -> None:
    for ids in gpt2.prefixes(5):
        score = gpt2.model.score(ids)
        measures = measure((ids[1:], [value for value in score.log_probabilities if value is not None]))
        assert measures.log_probability == pytest.approx(score.log_probability)
        assert (measures.perplexity or 1) == pytest.approx(score.perplexity)


def test_tokens_a_second() -> None:
    assert Cost(passes=10, tokens=40, seconds=0.5).tokens_per_second == 80
    assert Cost(passes=0, tokens=0, seconds=0.0).tokens_per_second is None
