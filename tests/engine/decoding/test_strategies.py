"""Batched generation: the text of each seed equals that of `generate`, whatever else is in the batch."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

import engine
from engine.decoding.batch_generation import BatchGeneration, Continuation
from engine.decoding.strategies import BY_NAME, STRATEGIES, DecodingStrategy
from engine.errors import PromptError, SettingsError
from engine.experiments.filter_sizes import filter_sizes_along
from engine.model.model import Model
from engine.sampling.settings import Settings
from tests.engine.conftest import Tiny

SEEDS = (0, 3, 7, 8, 2**31)
DRAWING = [strategy for strategy in STRATEGIES if strategy.draws]


def first(strategy: DecodingStrategy) -> float:
    return strategy.parameter.first if strategy.parameter else 0


def written(
    model: Model, ids: tuple[int, ...], strategy: DecodingStrategy, value: float | None = None, most: int = 12
) -> list[Continuation]:
    batch = BatchGeneration(model, ids, strategy, first(strategy) if value is None else value, SEEDS, most)
    while batch.step():
        pass
    return batch.texts


@pytest.mark.slow
@pytest.mark.parametrize("strategy", DRAWING, ids=lambda strategy: strategy.name)
def test_each_seed_writes_what_it_writes_alone(each: Tiny, strategy: DecodingStrategy) -> None:
    ids = each.prefixes(1, seed=4)[0]
    alone = each.fresh()
    for text in written(each.fresh(), ids, strategy):
        assert text.seed is not None
        steps = list(engine.generate(alone, ids, "sample", strategy.settings(first(strategy)), text.seed, 12))
        assert text.token_ids == tuple(step.token_id for step in steps)
        assert text.log_probabilities == pytest.approx([step.log_probability for step in steps], abs=1e-4)
        assert text.stop == steps[-1].stop


def test_greedy_is_that_of_transformers(each: Tiny) -> None:
    for ids in each.prefixes(6, seed=1):
        expected = each.reference.generate(  # type: ignore[operator]
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            do_sample=False,
            max_new_tokens=12,
            pad_token_id=0,
        )[0].tolist()
        assert [*ids, *written(each.fresh(), ids, BY_NAME["greedy"])[0].token_ids] == expected


def test_a_text_that_has_ended_drops_out_and_the_others_go_on(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    model.end_ids = frozenset(range(0, model.vocabulary.size, 9))  # end-of-text tokens are frequent
    texts = written(model, (1, 2, 3), BY_NAME["sample"], most=30)
    assert {text.stop for text in texts} == {"end", "length"} or len({len(text.token_ids) for text in texts}) > 1
    for text in texts:
        assert (text.token_ids[-1] in model.end_ids) == (text.stop == "end")
        assert not set(text.token_ids[:-1]) & model.end_ids
        alone = list(engine.generate(model, (1, 2, 3), "sample", seed=text.seed or 0, max_new_tokens=30))
        assert text.token_ids == tuple(step.token_id for step in alone)


def test_seeds_together_take_one_pass_a_token(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    batch = BatchGeneration(model, (1, 2, 3), BY_NAME["sample"], 0, SEEDS, 10)
    while batch.step():
        pass
    assert model.prefix_cache.counters.passes == batch.cost.passes == 10
    assert batch.cost.tokens == 10 * len(SEEDS)
    assert batch.cost.seconds > 0


def test_seeds_that_have_written_the_same_are_computed_once(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    texts = written(model, (1, 2, 3), BY_NAME["temperature"], value=0.0)
    assert len({text.token_ids for text in texts}) == 1
    assert model.prefix_cache.counters.tokens == 3 + 11


def test_the_window_ends_it_and_a_full_one_lets_nothing_be_written(gpt2: Tiny) -> None:
    room = gpt2.prefixes(1)[0] * 64
    texts = written(gpt2.fresh(), room[:60], BY_NAME["top_k"], most=12)
    assert {(len(text.token_ids), text.stop) for text in texts} <= {(4, "context"), *((n, "end") for n in range(1, 5))}
    full = BatchGeneration(gpt2.fresh(), room[:64], BY_NAME["greedy"], 0, SEEDS, 12)
    assert full.done and not full.step()
    assert full.texts == [Continuation(None, stop="context")]


def test_what_is_written_stays_when_a_person_stops_it(gpt2: Tiny) -> None:
    batch = BatchGeneration(gpt2.fresh(), (1, 2, 3), BY_NAME["sample"], 0, SEEDS, 12)
    batch.step()
    batch.step()
    before = [text.token_ids for text in batch.texts]
    batch.stop()
    assert not batch.step()
    assert [text.token_ids for text in batch.texts] == before
    assert {text.stop for text in batch.texts} <= {"person", "end"}


def test_beam_search_writes_its_best_text(gpt2: Tiny) -> None:
    for ids in gpt2.prefixes(3, seed=2):
        best = engine.beam_search(gpt2.model, ids, width=3, max_new_tokens=8).sequences[0]
        (text,) = written(gpt2.fresh(), ids, BY_NAME["beam"], value=3, most=8)
        assert (*ids, *text.token_ids) == tuple(best.token_ids)
        assert sum(text.log_probabilities) == pytest.approx(best.log_probability, abs=1e-4)
        assert text.stop in ("end", "length", "context")


def test_beam_search_that_is_stopped_keeps_its_best_beam_so_far(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    batch = BatchGeneration(model, (1, 2, 3), BY_NAME["beam"], 4, SEEDS, 8)
    for _ in range(3):  # the prompt, the first level, which needs no further pass, and the second
        batch.step()
    batch.stop()
    assert batch.cost.passes == model.prefix_cache.counters.passes == 2
    (text,) = batch.texts
    assert (len(text.token_ids), text.stop, batch.done) == (2, "person", True)
    assert sum(text.log_probabilities) == pytest.approx(
        sum(value or 0 for value in model.score((1, 2, 3, *text.token_ids)).log_probabilities[3:]), abs=1e-4
    )


def test_what_cannot_be_a_prompt_or_a_setting_is_refused(gpt2: Tiny) -> None:
    with pytest.raises(PromptError):
        BatchGeneration(gpt2.model, (), BY_NAME["greedy"], 0, SEEDS, 5)
    with pytest.raises(PromptError):
        BatchGeneration(gpt2.model, (10**6,), BY_NAME["greedy"], 0, SEEDS, 5).step()
    with pytest.raises(SettingsError):
        BatchGeneration(gpt2.model, (1,), BY_NAME["top_p"], 1.5, SEEDS, 5)


def test_each_strategy_changes_its_own_setting_alone() -> None:
    names = {field.name for field in fields(Settings)}
    for strategy in STRATEGIES:
        changed = {
            name for name in names if getattr(strategy.settings(first(strategy)), name) != getattr(Settings(), name)
        }
        assert changed == ({strategy.name} & names)


def test_a_top_k_beyond_the_vocabulary_keeps_all(gpt2: Tiny) -> None:
    all_kept = written(gpt2.fresh(), (1, 2, 3), BY_NAME["top_k"], value=100_000)
    assert all_kept == written(gpt2.fresh(), (1, 2, 3), BY_NAME["sample"])


def test_how_many_are_left_along_a_text(gpt2: Tiny) -> None:
    ids = gpt2.prefixes(1, seed=3)[0]
    steps = list(engine.generate(gpt2.model, ids, "sample", Settings(top_p=0.8), 5, 9))
    sizes = filter_sizes_along(gpt2.model, ids, top_k=6, top_p=0.8, seed=5, steps=9)
    assert [size.text for size in sizes] == [step.text for step in steps]
    for size, step in zip(sizes, steps, strict=True):
        assert size.by_top_k == 6
        assert size.entropy == step.distribution.entropy
        by_hand = step.distribution.raw[step.distribution.order].cumsum()
        assert size.by_top_p == pytest.approx((by_hand < 0.8).sum() + 1, abs=1), "the smallest set that holds 0.8"
