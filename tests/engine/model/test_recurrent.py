"""Recurrent models (Mamba): their state cannot be cropped, so every new text is computed as a whole."""

from __future__ import annotations

import engine
from tests.engine.conftest import Tiny


def test_it_keeps_no_keys_and_no_attention(mamba: Tiny) -> None:
    output = mamba.model.records(mamba.model.encode("the cat"))[-1]
    assert output.key_values is None and output.attentions is None and output.hidden_states is not None


def test_looking_again_costs_nothing_and_a_step_costs_the_text(mamba: Tiny) -> None:
    model = mamba.fresh()
    ids = tuple(range(10, 20))
    counters = model.prefix_cache.counters
    model.records(ids)
    assert (counters.passes, counters.tokens) == (1, 10)
    model.records(ids[:5])
    model.score(ids)
    assert (counters.passes, counters.tokens) == (1, 10)
    model.records((*ids, 3))
    assert (counters.passes, counters.tokens) == (2, 21)


def test_it_is_asked_for_like_any_other(mamba: Tiny) -> None:
    ids = mamba.model.read_prompt("今天天氣真")
    steps = list(engine.generate(mamba.model, ids, "sample", engine.Settings(top_k=5), seed=3, max_new_tokens=5))
    assert 1 <= len(steps) <= 5
    assert mamba.model.context_length == 2048  # the default, since its config has no limit
