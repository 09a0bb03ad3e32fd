"""Attention and hidden states: equal to `output_attentions` and `output_hidden_states` of the eager implementation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import engine
from tests.engine.conftest import Tiny


def test_attention_of_one_pass_equals_the_reference(attentive: Tiny) -> None:
    for ids in attentive.prefixes(20):
        want = torch.cat(attentive.forward(ids, output_attentions=True).attentions)  # (L, H, T, T)
        got = attentive.fresh().attention(ids)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want.numpy(), atol=1e-5)


def test_attention_gathered_from_steps_and_branches_equals_the_reference(attentive: Tiny) -> None:
    model = attentive.fresh()
    for ids in attentive.prefixes(10):
        for end in range(1, len(ids) + 1):
            model.records(ids[:end])
        branch = (*ids[: len(ids) // 2 + 1], 7, 8)
        for text in (ids, branch):
            want = torch.cat(attentive.forward(text, output_attentions=True).attentions)
            np.testing.assert_allclose(model.attention(text), want.numpy(), atol=1e-5)


def test_the_last_row_equals_the_reference(attentive: Tiny) -> None:
    model = attentive.fresh()
    for ids in attentive.prefixes(10):
        for end in (1, len(ids)):
            want = torch.cat(attentive.forward(ids[:end], output_attentions=True).attentions)[:, :, -1]  # (L, H, T)
            np.testing.assert_allclose(model.attention_row(ids[:end]), want.numpy(), atol=1e-5)


def test_attention_costs_no_pass_where_the_text_is_known(attentive: Tiny) -> None:
    model = attentive.fresh()
    ids = attentive.prefixes(1)[0]
    model.records(ids)
    model.attention(ids)
    assert model.prefix_cache.counters.passes == 1


def test_each_row_sums_to_one_and_nothing_looks_ahead(attentive: Tiny) -> None:
    for ids in attentive.prefixes(10):
        attention = attentive.model.attention(ids)
        np.testing.assert_allclose(attention.sum(-1), 1, atol=1e-5)
        assert (np.triu(attention, 1) == 0).all()


@pytest.mark.parametrize(("family", "window"), [("mistral", 4), ("gemma2", 5)])
def test_a_sliding_window_hides_what_is_further_back(build: Callable[[str], Tiny], family: str, window: int) -> None:
    tiny = build(family)
    model = tiny.fresh()
    ids = tuple(range(10, 30))
    for end in range(1, len(ids) + 1):
        model.records(ids[:end])
    narrow = [layer for layer in model.attention(ids) if (np.tril(layer, -window) == 0).all()]
    assert len(narrow) == (3 if family == "mistral" else 2)


def test_hidden_states_equal_the_reference(each: Tiny) -> None:
    for ids in each.prefixes(5):
        want = torch.stack(each.forward(ids, output_hidden_states=True).hidden_states, dim=2)[0]  # (T, L + 1, d)
        by_steps = each.fresh()
        for end in range(1, len(ids) + 1):
            by_steps.records(ids[:end])
        for model in (each.fresh(), by_steps):
            hidden = [output.hidden_states for output in model.records(ids)]
            assert all(h is not None for h in hidden)
            torch.testing.assert_close(torch.stack([h for h in hidden if h is not None]), want, atol=1e-4, rtol=1e-4)


def test_a_model_without_attention_says_so(mamba: Tiny) -> None:
    with pytest.raises(engine.EngineError) as caught:
        mamba.model.attention(mamba.model.encode("the cat"))
    assert caught.value.code == "attention"
