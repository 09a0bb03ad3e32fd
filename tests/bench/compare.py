"""What it saves that all seeds of a strategy go on together: their texts in one batch beside one after another.

Both write the same texts from an empty tree, so that neither finds what the other has left behind, and take turns, so
that whatever else the machine does meets both. A ratio is the median over all pairs.
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
    """The same weights with a tree that knows nothing."""
    tree = PrefixCache(model.prefix_cache.forward, 2**30)
    # No text ends early: each round is the same amount of work.
    return Model(model.name, model.vocabulary, tree, model.context_length, frozenset())


def in_one_batch(model: Model, ids: Sequence[int], seeds: Sequence[int]) -> Texts:
    together = BatchGeneration(model, ids, BY_NAME["sample"], 0, seeds, TOKENS)
    while together.step():
        pass
    return [text.token_ids for text in together.texts]


def one_after_another(model: Model, ids: Sequence[int], seeds: Sequence[int]) -> Texts:
    return [
        tuple(step.token_id for step in engine.generate(model, ids, "sample", seed=seed, max_new_tokens=TOKENS))
        for seed in seeds
    ]


def run() -> None:
    """Print the ratios."""
    torch.set_num_threads(1)  # as the app
    model = engine.load()
    ids = model.encode(PROMPT)
    for count in SEEDS:
        times: dict[str, list[float]] = {"batch": [], "alone": []}
        for turn in range(ROUNDS):
            seeds = range(turn * count, (turn + 1) * count)
            pair = [("batch", in_one_batch), ("alone", one_after_another)]
            written = []
            for name, write in pair if turn % 2 else pair[::-1]:
                fresh = empty(model)
                started = time.perf_counter()
                written.append(write(fresh, ids, seeds))
                times[name].append(time.perf_counter() - started)
            assert written[0] == written[1], "both must write the same, or a comparison says nothing"
        ratio = statistics.median(one / other for one, other in zip(times["batch"], times["alone"], strict=True))
        print(f"{count} seeds together ÷ one after another, {TOKENS} tokens each: {ratio:.2f}"
              f"  ({statistics.median(times['batch']):.2f} s, {statistics.median(times['alone']):.2f} s)")  # fmt: skip
