"""Benchmark of sampling with several seeds: all texts in one batch against one text after another.

Both generate the same texts, each time with an empty prefix cache so that neither reuses the other's states. They
alternate, so that other load on the machine affects both. A ratio is the median over all pairs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import torch

import engine
from engine.decoding.batch_generation import BatchGeneration
from engine.decoding.strategies import BY_NAME
from engine.model.model import Model
from engine.model.prefix_cache import PrefixCache

SEEDS = (2, 4, 8)
TOKENS = 30
ROUNDS = 12
PROMPT = "今天天氣真"

Texts = list[tuple[int, ...]]


def empty(model: Model) -> Model:
    """The same weights with an empty prefix cache and without end-of-text tokens."""
    cache = PrefixCache(model.prefix_cache.forward, 2**30)
    # No text may end early, so that each round is the same amount of work.
    return Model(model.name, model.vocabulary, cache, model.context_length, frozenset())


def in_one_batch(model: Model, ids: Sequence[int], seeds: Sequence[int]) -> Texts:
    generation = BatchGeneration(model, ids, BY_NAME["sample"], 0, seeds, TOKENS)
    while generation.step():
        pass
    return [text.token_ids for text in generation.texts]


def one_after_another(model: Model, ids: Sequence[int], seeds: Sequence[int]) -> Texts:
    return [
        tuple(step.token_id for step in engine.generate(model, ids, "sample", seed=seed, max_new_tokens=TOKENS))
        for seed in seeds
    ]


def run() -> None:
    """Print the ratios."""
    torch.set_num_threads(1)  # as in the app
    model = engine.load()
    ids = model.encode(PROMPT)
    for count in SEEDS:
        times: dict[str, list[float]] = {"batch": [], "alone": []}
        for round_number in range(ROUNDS):
            seeds = range(round_number * count, (round_number + 1) * count)
            pair = [("batch", in_one_batch), ("alone", one_after_another)]
            results = []
            for name, generate in pair if round_number % 2 else pair[::-1]:
                fresh = empty(model)
                started = time.perf_counter()
                results.append(generate(fresh, ids, seeds))
                times[name].append(time.perf_counter() - started)
            assert results[0] == results[1], "the times are comparable only if both generate the same texts"
        ratio = statistics.median(batch / alone for batch, alone in zip(times["batch"], times["alone"], strict=True))
        print(f"{count} seeds together ÷ one after another, {TOKENS} tokens each: {ratio:.2f}"
              f"  ({statistics.median(times['batch']):.2f} s, {statistics.median(times['alone']):.2f} s)")  # fmt: skip
