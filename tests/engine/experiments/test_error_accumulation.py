"""Forced-token experiment: both continuations against the reference model, summaries against hand-computed values."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.decoding.batch_generation import Continuation
from engine.experiments.error_accumulation import (
    ForcedTokenExperiment,
    TextPair,
    common_run,
    first_difference,
    forced_token_candidates,
    improbable_token,
    running_perplexity,
    summarize,
)
from tests.engine.conftest import Tiny

SETTINGS = engine.Settings(temperature=0.8, top_p=0.9)


def run(experiment: ForcedTokenExperiment) -> list[TextPair]:
    while experiment.step():
        assert 0 <= experiment.progress <= 1
    return experiment.pairs


def greedy(tiny: Tiny, ids: tuple[int, ...], count: int) -> tuple[int, ...]:
    new: list[int] = []
    while len(new) < count and not (new and new[-1] in tiny.model.end_ids):
        new.append(int(tiny.forward((*ids, *new)).logits[0, -1].argmax()))
    return tuple(new)


def log_probabilities(tiny: Tiny, ids: tuple[int, ...], new: tuple[int, ...]) -> list[float]:
    """Log-probability of each new token from one reference pass over the whole text."""
    logits = tiny.forward((*ids, *new)).logits[0].double()
    table = torch.log_softmax(logits, dim=-1)
    return [float(table[len(ids) - 1 + i, token]) for i, token in enumerate(new)]


def test_greedy_ways_are_the_references(each: Tiny) -> None:
    ids = each.prefixes(1, longest=8)[0]
    [pair] = run(ForcedTokenExperiment(each.fresh(), ids, 7, "greedy", SETTINGS, (3, 4), 6))
    assert pair.own.token_ids == greedy(each, ids, 6)
    assert pair.forced.token_ids == (7, *greedy(each, (*ids, 7), 5))
    for text in (pair.own, pair.forced):
        assert list(text.log_probabilities) == pytest.approx(log_probabilities(each, ids, text.token_ids), abs=1e-3)


def test_drawn_ways_share_settings_and_drawn_numbers(gpt2: Tiny) -> None:
    model, ids = gpt2.fresh(), (5, 6, 7)
    pairs = run(ForcedTokenExperiment(model, ids, 9, "sample", SETTINGS, (3, 4, 5), 8))
    assert [pair.own.seed for pair in pairs] == [3, 4, 5]
    for pair, seed in zip(pairs, (3, 4, 5), strict=True):
        own = [step.token_id for step in engine.generate(model, ids, "sample", SETTINGS, seed, 8)]
        rest = [step.token_id for step in engine.generate(model, (*ids, 9), "sample", SETTINGS, seed, 7)]
        assert pair.own.token_ids == tuple(own)
        assert pair.forced.token_ids == (9, *rest)


def test_stopped_it_keeps_what_is_written_and_refuses_what_is_no_token(gpt2: Tiny) -> None:
    experiment = ForcedTokenExperiment(gpt2.fresh(), (5, 6), 9, "sample", SETTINGS, (3,), 8)
    while len(experiment.pairs[0].forced.token_ids) < 4:
        experiment.step()
    pairs = experiment.pairs
    experiment.stop()
    assert experiment.done and not experiment.step()
    own, forced = experiment.pairs[0].own, experiment.pairs[0].forced
    assert (own.token_ids, forced.token_ids) == (pairs[0].own.token_ids, pairs[0].forced.token_ids)
    assert own.stop == forced.stop == "person" and abs(len(own.token_ids) - len(forced.token_ids)) <= 1
    with pytest.raises(engine.PromptError):
        ForcedTokenExperiment(gpt2.model, (5, 6), gpt2.model.vocabulary.size, "sample", SETTINGS, (3,), 8)


def test_the_ladder_goes_down_and_the_improbable_one_is_improbable() -> None:
    model = engine.load()
    ids = model.encode("今天天氣真")
    raw = model.distribution(ids).raw
    candidates = forced_token_candidates(model, ids)
    chances = [float(raw[i]) for i in candidates]
    assert chances == sorted(chances, reverse=True)
    assert len(set(candidates)) == len(candidates)
    assert candidates[0] == int(raw.argmax())
    assert not set(candidates) & model.vocabulary.special
    assert any(1e-5 < p < 1e-4 for p in chances)
    assert raw[improbable_token(model, ids)] < 1e-3


def pair(own: list[int], forced: list[int]) -> TextPair:
    def text(ids: list[int]) -> Continuation:
        return Continuation(0, tuple(ids), tuple(-float(i) for i in range(len(ids))))

    return TextPair(text(own), text(forced))


@given(st.lists(st.integers(0, 2), max_size=9), st.lists(st.integers(0, 2), max_size=9))
def test_together_again_is_the_longest_run_that_both_share(own: list[int], forced: list[int]) -> None:
    both = pair(own, forced)
    parted = first_difference(both)
    differ = [i for i, (a, b) in enumerate(zip(own, forced, strict=False)) if a != b]
    assert parted == (differ[0] if differ else None)
    runs = [
        n
        for a in range(parted, len(own))
        for b in range(parted, len(forced))
        for n in range(3, 10)
        if own[a : a + n] == forced[b : b + n] and len(own[a : a + n]) == n
    ] if parted is not None else []  # fmt: skip
    result = common_run(both, 3)
    assert (result[2] if result else 0) == max(runs, default=0)
    if result:
        a, b, n = result
        assert own[a : a + n] == forced[b : b + n]


def test_numbers_leave_out_the_token_at_the_fork() -> None:
    complete = TextPair(Continuation(0, (1, 2, 3), (-9.0, -1.0, -3.0)), Continuation(0, (4, 5), (-9.0, -4.0)))
    without_own = TextPair(Continuation(1, (1,), (-2.0,)), Continuation(1, (4, 5), (-2.0, -4.0)))
    result = summarize([complete, without_own])
    assert result is not None
    assert (result.seeds, result.own, result.forced, result.lower) == (1, -2.0, -4.0, 1)
    assert summarize([without_own]) is None
    assert running_perplexity(complete.own) == pytest.approx([math.e, math.exp(2)])
