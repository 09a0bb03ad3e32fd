"""Decoding speed benchmark: equal results of all strategies, passes that bypass the prefix cache; no times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

import engine
from engine.experiments.decoding_speed import DecodingSpeed
from tests.engine.conftest import Tiny


@contextmanager
def recorded_passes(tiny: Tiny) -> Iterator[list[int]]:
    """Number of tokens of each forward pass."""
    lengths: list[int] = []

    def record(_: object, __: object, arguments: dict[str, torch.Tensor]) -> None:
        lengths.append(arguments["input_ids"].shape[1])

    handle = tiny.model.prefix_cache.forward.model.register_forward_pre_hook(record, with_kwargs=True)
    try:
        yield lengths
    finally:
        handle.remove()


def finished(benchmark: DecodingSpeed) -> DecodingSpeed:
    while benchmark.step():
        assert 0 <= benchmark.progress <= 1
    assert benchmark.progress == 1
    return benchmark


def test_the_text_is_what_the_reference_finds_likeliest(each: Tiny) -> None:
    prompt = each.prefixes(1, longest=4)[0]
    benchmark = finished(DecodingSpeed(each.fresh(), prompt, (4, 8, 12), rounds=2))
    ids = list(prompt)[:12]
    while len(ids) < 12:
        ids.append(int(each.forward(tuple(ids)).logits[0, -1].argmax()))
    assert benchmark.ids == ids
    if each.family == "mamba":
        assert benchmark.difference is None
    else:
        assert benchmark.difference is not None
        assert benchmark.difference < 1e-4


def test_every_way_makes_its_own_passes_whatever_the_tree_knows(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    first = finished(DecodingSpeed(model, (5, 6), (4, 8), rounds=2))
    model.records(first.ids)
    before = model.prefix_cache.counters.passes
    with recorded_passes(gpt2) as lengths:
        benchmark = finished(DecodingSpeed(model, (5, 6), (4, 8), rounds=2))
    warm_up, check = [1], [2]  # an extra first pass, and one over the prompt that computes `difference`
    cached, whole, at_once = [1] * 8, [1, 2, 3, 4, 5, 6, 7, 8], [4, 8]
    assert lengths == [*warm_up, *cached[:2], *check, *cached[2:], *whole, *at_once, *cached, *at_once]
    assert model.prefix_cache.counters.passes == before
    assert benchmark.rounds == 2
    for row in benchmark.times:
        assert row.at_once and row.cached and row.whole
    assert [row.tokens for row in benchmark.times] == [4, 8]
    assert benchmark.times[0].cached < benchmark.times[1].cached  # type: ignore[operator]
    assert benchmark.times[0].whole < benchmark.times[1].whole  # type: ignore[operator]


def test_a_model_that_keeps_no_keys_has_no_such_curve(mamba: Tiny) -> None:
    benchmark = finished(DecodingSpeed(mamba.fresh(), (5, 6), (4, 8)))
    assert [row.cached for row in benchmark.times] == [None, None]
    assert all(row.at_once and row.whole for row in benchmark.times)


def test_patience_ends_rounds_and_shortens_the_longest_way(gpt2: Tiny) -> None:
    benchmark = finished(DecodingSpeed(gpt2.fresh(), (5, 6), (4, 8), rounds=3, patience=0.0))
    assert benchmark.rounds == 1
    assert [row.whole is None for row in benchmark.times] == [False, True]
    assert all(row.at_once and row.cached for row in benchmark.times)


def test_stopped_it_keeps_what_it_has(gpt2: Tiny) -> None:
    benchmark = DecodingSpeed(gpt2.fresh(), (5, 6), (4, 8))
    for _ in range(6):
        benchmark.step()
    benchmark.stop()
    assert benchmark.done and not benchmark.step()
    assert [(row.tokens, row.at_once, row.whole) for row in benchmark.times] == [(4, None, None)]


def test_lengths_keep_to_the_window_and_a_long_prompt_is_cut(gpt2: Tiny) -> None:
    benchmark = finished(DecodingSpeed(gpt2.fresh(), (5, 6, 7) * 20, (8, 1000), rounds=1))
    assert benchmark.lengths == (8,)
    assert benchmark.ids == [5, 6, 7, 5, 6, 7, 5, 6]
    with pytest.raises(engine.PromptError):
        DecodingSpeed(gpt2.model, ())
