"""Bits per character of the same characters under two models, by sums over tokens counted from the end."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experiments.text_surprise import surprise, unknown_parts
from engine.model.model import Model
from tests.engine.experiments.test_model_comparison import three  # noqa: F401

ALPHABET = "今天氣真好the ca,。"


def bits_of_end(model: Model, text: str, start: int) -> float:
    """Bits of `text[start:]`: those of the last tokens that decode to it together."""
    ids, values = model.encode(text), model.score(model.encode(text)).log_probabilities
    data, total = b"", 0.0
    wanted = text[start:].encode()
    for token_id, value in zip(reversed(ids), reversed(values), strict=True):
        if len(data) >= len(wanted):
            break
        data = model.vocabulary.token_bytes(token_id) + data
        assert value is not None
        total -= value / math.log(2)
    assert data.endswith(wanted)
    return total


@given(text=st.text(ALPHABET, min_size=2, max_size=12))
def test_both_models_are_measured_on_the_same_characters(three: dict[str, Model], text: str) -> None:  # noqa: F811
    first, second = three["gpt2"], three["llama"]
    found = surprise(first, second, text)
    if found is None:
        return
    assert found.characters == len(text) - found.start
    assert first.encode(text) and found.start >= 1  # the byte-level model has no start token
    assert found.first * found.characters == pytest.approx(bits_of_end(first, text, found.start), rel=1e-6)
    assert found.second * found.characters == pytest.approx(bits_of_end(second, text, found.start), rel=1e-6)


def test_a_text_that_a_vocabulary_cannot_write_is_not_measured(three: dict[str, Model]) -> None:  # noqa: F811
    assert unknown_parts(three["bert"], "今天黶氣") == ["黶"] and not unknown_parts(three["gpt2"], "今天黶氣")
    assert surprise(three["gpt2"], three["bert"], "今天黶氣") is None
    found = surprise(three["gpt2"], three["bert"], "今天天氣")
    assert found is not None and found.start == 1


def test_a_model_that_predicts_everything_is_measured_on_everything(three: dict[str, Model]) -> None:  # noqa: F811
    llama = three["llama"]
    found = surprise(llama, llama, "今天天氣")
    assert found is not None and found.start == 0 and found.first == found.second
    total = -math.fsum(v for v in llama.score(llama.encode("今天天氣")).log_probabilities if v) / math.log(2)
    assert found.first == pytest.approx(total / 4)
    assert surprise(three["gpt2"], three["gpt2"], "") is None
