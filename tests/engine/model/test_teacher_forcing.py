"""Teacher forcing: loss equal to that of `transformers`, a single pass, bits per character, least expected tokens."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.model.score import Score, bits_per_character, least_expected, predicted_characters
from tests.engine.conftest import Tiny

TEXT = "今天天氣真好, the cat sat on 龘"


def test_the_loss_is_the_one_that_training_makes_small(each: Tiny) -> None:
    for text in (TEXT, "the cat", "天氣好"):
        ids = each.model.encode(text)
        score = each.model.score(ids)
        with torch.inference_mode():
            loss = float(each.reference(input_ids=torch.tensor([ids]), labels=torch.tensor([ids])).loss)
        assert score.predicted == len(ids) - 1
        assert score.loss == pytest.approx(loss, abs=1e-4)
        assert score.perplexity == pytest.approx(math.exp(loss), rel=1e-3)


def test_all_places_are_predicted_in_one_pass(attentive: Tiny) -> None:
    model = attentive.fresh()
    before = model.prefix_cache.counters.passes
    model.score(model.encode(TEXT))
    assert model.prefix_cache.counters.passes == before + 1


def test_bits_a_character_do_not_depend_on_where_characters_are_cut(gpt2: Tiny) -> None:
    model = gpt2.model
    ids = model.encode("今天龘")
    score = model.score(ids)
    assert len(ids) > 3
    first_bytes = model.vocabulary.token_bytes(ids[0])
    unpredicted = len(first_bytes.decode("utf-8", "ignore"))  # characters completed by the first token
    assert predicted_characters(model.vocabulary, score) == 3 - unpredicted
    bits = sum(-value / math.log(2) for value in score.log_probabilities if value is not None)
    assert bits_per_character(model.vocabulary, score) == pytest.approx(bits / (3 - unpredicted))
    assert bits_per_character(model.vocabulary, model.score(ids[:1])) is None
    assert bits_per_character(model.vocabulary, model.score(ids[:2])) is None or unpredicted


def test_a_mark_at_the_start_is_no_character(build: Callable[[str], Tiny]) -> None:
    model = build("llama").model
    score = model.score(model.encode("天氣"))
    assert score.ranks[1] is not None and predicted_characters(model.vocabulary, score) == len(" 天氣")


@given(st.lists(st.floats(-30, 0), max_size=20), st.integers(0, 8))
def test_the_worst_come_first(values: list[float], count: int) -> None:
    score = Score(tuple(range(len(values) + 1)), (None, *values), (None, *(1 for _ in values)))
    positions = least_expected(score, count)
    assert len(positions) == min(count, len(values)) and 0 not in positions
    assert [values[t - 1] for t in positions] == sorted(values)[:count]
