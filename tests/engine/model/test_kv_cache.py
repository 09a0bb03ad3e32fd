"""KV cache: equal logits for a text in one pass, token by token, from a branch and after eviction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.model import Model
from tests import tiny
from tests.engine.conftest import Tiny


def agrees(each: Tiny, model: Model, ids: tuple[int, ...]) -> None:
    """All logits of a text equal those of one uncached pass of `transformers`."""
    want = each.forward(ids).logits[0].numpy()  # (T, V)
    got = np.stack([output.logits for output in model.records(ids)])
    np.testing.assert_allclose(_softmax(got), _softmax(want), atol=1e-5)
    np.testing.assert_allclose(got, want, atol=2e-4, rtol=1e-4)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


@pytest.mark.slow
def test_token_by_token_equals_one_pass(each: Tiny) -> None:
    for ids in each.prefixes(6, longest=tiny.CONTEXT):
        model = each.fresh()
        for end in range(1, len(ids) + 1):
            model.records(ids[:end])
        agrees(each, model, ids)


@pytest.mark.slow
def test_in_pieces_of_any_length(each: Tiny) -> None:
    """A pass over several new tokens after cached ones needs a correct attention mask."""
    for cut, ids in zip(range(1, 20), each.prefixes(12, longest=tiny.CONTEXT, seed=1), strict=False):
        model = each.fresh()
        for end in (*range(cut, len(ids), cut), len(ids)):
            model.records(ids[:end])
        agrees(each, model, ids)


def test_branches_from_every_position(each: Tiny) -> None:
    model = each.fresh()
    ids = tuple(range(20, 50))
    model.records(ids)
    for at in range(1, len(ids)):
        agrees(each, model, (*ids[:at], 3, 4))
    agrees(each, model, ids)


@pytest.mark.slow
def test_more_texts_in_turn_than_there_are_buffers(each: Tiny) -> None:
    """Keys and values are restored from the prefix cache; no token is computed twice."""
    model = each.fresh()
    texts = [(100 + i, *range(30 + i, 40 + i)) for i in range(20)]
    for end in range(3, 11):
        for ids in texts:
            model.records(ids[:end])
    for ids in texts:
        agrees(each, model, ids)
    if each.family != "mamba":
        assert model.prefix_cache.counters.tokens == sum(len(ids) for ids in texts)


def test_a_buffer_that_grows(build: Callable[[str], Tiny]) -> None:
    """Llama's rotary positions continue beyond its context length of 64, and so does the KV cache."""
    llama = build("llama")
    model = llama.fresh()
    model.context_length = 300
    ids = tuple(int(i) for i in np.random.default_rng(0).integers(3, 300, 150))
    for end in (1, 60, 63, 64, 65, 100, 127, 128, 129, 150):
        model.records(ids[:end])
    agrees(llama, model, ids)


def test_after_eviction(each: Tiny) -> None:
    """A prefix cache with room for about ten tokens computes the others again."""
    model = each.fresh()
    nbytes = model.records([5])[0].record_nbytes
    model = each.fresh(max_bytes=10 * nbytes)
    for ids in [*each.prefixes(15), *each.prefixes(15)]:
        agrees(each, model, ids)
    assert model.prefix_cache.counters.evicted > 100


@pytest.mark.slow
@settings(max_examples=25)
@given(data=st.data())
def test_any_walk_gives_the_numbers_of_one_pass(each: Tiny, data: st.DataObject) -> None:
    """For any earlier requests and any byte budget of the prefix cache."""
    model = data.draw(st.sampled_from(_models_of_various_bounds(each)))
    token = st.integers(10, 13)  # few, so that texts share prefixes
    walk = data.draw(st.lists(st.lists(token, min_size=1, max_size=12).map(tuple), min_size=1, max_size=8))
    for ids in walk:
        model.records(ids)
    for ids in walk[-3:]:
        agrees(each, model, ids)


_models: dict[str, list[Model]] = {}


def _models_of_various_bounds(each: Tiny) -> list[Model]:
    if each.family not in _models:
        nbytes = each.model.records([5])[0].nbytes
        _models[each.family] = [each.fresh(), each.fresh(max_bytes=5 * nbytes), each.fresh(max_bytes=40 * nbytes)]
    return _models[each.family]
