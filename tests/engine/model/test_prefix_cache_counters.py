"""Prefix cache counters: no token is computed twice, and one token per generation step."""

from __future__ import annotations

import pytest

import engine
from engine.model.loading import load
from engine.model.model import Model
from tests.engine.conftest import Tiny

IDS = tuple(range(10, 30))


def cost(model: Model, ids: tuple[int, ...]) -> tuple[int, int]:
    """Passes and tokens that a request for a text takes now."""
    counters = model.prefix_cache.counters
    passes, tokens = counters.passes, counters.tokens
    assert len(model.records(ids)) == len(ids)
    return counters.passes - passes, counters.tokens - tokens


@pytest.fixture
def model(attentive: Tiny) -> Model:
    model = attentive.fresh()
    assert cost(model, IDS) == (1, len(IDS))
    return model


def test_loading_counts_for_nothing(attentive: Tiny) -> None:
    counters = load(attentive.folder, from_hub=False).prefix_cache.counters
    assert (counters.passes, counters.tokens, counters.evicted) == (0, 0, 0)


def test_revisiting_any_earlier_step_is_free(model: Model) -> None:
    for end in range(1, len(IDS) + 1):
        assert cost(model, IDS[:end]) == (0, 0)


def test_advancing_is_one_token(model: Model) -> None:
    for extra in range(1, 10):
        assert cost(model, (*IDS, *range(100, 100 + extra))) == (1, 1)


def test_branching_is_one_token(model: Model) -> None:
    for end in range(1, len(IDS)):
        assert cost(model, (*IDS[:end], 99)) == (1, 1)
    assert cost(model, IDS) == (0, 0)


def test_another_prompt_pays_for_what_is_its_own(model: Model) -> None:
    assert cost(model, (*IDS[:15], 1, 2, 3)) == (1, 3)
    assert cost(model, (99, *IDS)) == (1, 1 + len(IDS))


def test_all_that_is_asked_of_a_text_shares_its_pass(model: Model) -> None:
    before = model.prefix_cache.counters.passes
    model.distribution(IDS, engine.Settings(temperature=0.3, top_k=4)).top(10)
    model.score(IDS)
    model.attention(IDS)
    model.distribution(IDS[:3], engine.Settings(temperature=0))
    assert model.prefix_cache.counters.passes == before


def test_generating_is_one_token_a_step_and_again_is_free(model: Model) -> None:
    counters = model.prefix_cache.counters
    first = [s.token_id for s in engine.generate(model, IDS, "sample", seed=1, max_new_tokens=10)]
    # The prompt is cached, and the last generated token is not fed to the model.
    assert (counters.passes, counters.tokens) == (len(first), len(IDS) + len(first) - 1)
    before = counters.passes
    assert [s.token_id for s in engine.generate(model, IDS, "sample", seed=1, max_new_tokens=10)] == first
    assert counters.passes == before
