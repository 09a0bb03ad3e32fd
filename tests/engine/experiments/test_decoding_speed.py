"""At once and one by one come to the same, past the tree; only passes are timed, and no time is asserted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

import engine
from engine.experiments.decoding_speed import DecodingSpeed
from tests.engine.conftest import Tiny


@contextmanager
def counted(one: Tiny) -> Iterator[list[int]]:
    """How many tokens each pass of the model is over."""
    seen: list[int] = []

    def look(_: object, __: object, arguments: dict[str, torch.Tensor]) -> None:
        seen.append(arguments["input_ids"].shape[1])

    handle = one.model.prefix_cache.forward.model.register_forward_pre_hook(look, with_kwargs=True)
    try:
        yield seen
    finally:
        handle.remove()


def finished(timing: DecodingSpeed) -> DecodingSpeed:
    while timing.step():
        assert 0 <= timing.progress <= 1
    assert timing.progress == 1
    return timing


def test_the_text_is_what_the_reference_finds_likeliest(each: Tiny) -> None:
    prompt = each.prefixes(1, longest=4)[0]
    timing = finished(DecodingSpeed(each.fresh(), prompt, (4, 8, 12), rounds=2))
    ids = list(prompt)[:12]
    while len(ids) < 12:
        ids.append(int(each.forward(tuple(ids)).logits[0, -1].argmax()))
    assert timing.ids == ids
    if each.family == "mamba":
        assert timing.difference is None
    else:
        assert timing.difference is not None
        assert timing.difference < 1e-4


def test_every_way_makes_its_own_passes_whatever_the_tree_knows(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    first = finished(DecodingSpeed(model, (5, 6), (4, 8), rounds=2))
    model.records(first.ids)
    before = model.prefix_cache.counters.passes
    with counted(gpt2) as seen:
        timing = finished(DecodingSpeed(model, (5, 6), (4, 8), rounds=2))
    warm, check = [1], [2]  # the first pass is made twice; one pass over the prompt checks the numbers
    cached, whole, at_once = [1] * 8, [1, 2, 3, 4, 5, 6, 7, 8], [4, 8]
    assert seen == [*warm, *cached[:2], *check, *cached[2:], *whole, *at_once, *cached, *at_once]
    assert model.prefix_cache.counters.passes == before
    assert timing.rounds == 2
    for row in timing.times:
        assert row.at_once and row.cached and row.whole
    assert [row.tokens for row in timing.times] == [4, 8]
    assert timing.times[0].cached < timing.times[1].cached  # type: ignore[operator]
    assert timing.times[0].whole < timing.times[1].whole  # type: ignore[operator]


def test_a_model_that_keeps_no_keys_has_no_such_curve(mamba: Tiny) -> None:
    timing = finished(DecodingSpeed(mamba.fresh(), (5, 6), (4, 8)))
    assert [row.cached for row in timing.times] == [None, None]
    assert all(row.at_once and row.whole for row in timing.times)


def test_patience_ends_rounds_and_shortens_the_longest_way(gpt2: Tiny) -> None:
    timing = finished(DecodingSpeed(gpt2.fresh(), (5, 6), (4, 8), rounds=3, patience=0.0))
    assert timing.rounds == 1
    assert [row.whole is None for row in timing.times] == [False, True]
    assert all(row.at_once and row.cached for row in timing.times)


def test_stopped_it_keeps_what_it_has(gpt2: Tiny) -> None:
    timing = DecodingSpeed(gpt2.fresh(), (5, 6), (4, 8))
    for _ in range(6):
        timing.step()
    timing.stop()
    assert timing.done and not timing.step()
    assert [(row.tokens, row.at_once, row.whole) for row in timing.times] == [(4, None, None)]


def test_lengths_keep_to_the_window_and_a_long_prompt_is_cut(gpt2: Tiny) -> None:
    timing = finished(DecodingSpeed(gpt2.fresh(), (5, 6, 7) * 20, (8, 1000), rounds=1))
    assert timing.lengths == (8,)
    assert timing.ids == [5, 6, 7, 5, 6, 7, 5, 6]
    with pytest.raises(engine.PromptError):
        DecodingSpeed(gpt2.model, ())
