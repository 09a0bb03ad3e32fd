"""Prefix cache with many threads: nothing computed twice, and bit-identical results to a single thread."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import engine
from engine.model.model import Model
from tests.engine.conftest import Tiny
from tests.engine.model.test_prefix_cache_bound import check

THREADS = 8


def together(work: Callable[[int], object]) -> list:
    """Results of work(0) … work(7), run on as many threads that start at the same time."""
    barrier = threading.Barrier(THREADS)

    def begin(number: int) -> object:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def test_a_class_with_one_prompt_computes_it_once(attentive: Tiny) -> None:
    for round_ in range(10):
        model = attentive.fresh()
        ids = tuple(range(10 + round_, 40 + round_))
        answers = together(lambda _, model=model, ids=ids: model.records(ids))  # type: ignore[misc]
        assert (model.prefix_cache.counters.passes, model.prefix_cache.counters.tokens) == (1, len(ids))
        assert all(a is b for answer in answers for a, b in zip(answer, answers[0], strict=True))


def test_a_class_that_walks_the_same_way_computes_each_step_once(attentive: Tiny) -> None:
    model = attentive.fresh()
    ids = tuple(range(10, 20))
    texts = together(lambda _: [s.token_id for s in engine.generate(model, ids, "sample", seed=4, max_new_tokens=12)])
    assert all(text == texts[0] for text in texts)
    assert model.prefix_cache.counters.tokens == len(ids) + len(texts[0]) - 1


def walk(model: Model, number: int) -> list[np.ndarray]:
    """Logits of a generation; two threads share each prompt and diverge at a draw or at a token chosen by hand."""
    ids = tuple(range(20 + number // 2, 30 + number // 2))
    logits = []
    for step in engine.generate(model, ids, "sample", engine.Settings(top_k=3), seed=number, max_new_tokens=10):
        logits.append(step.distribution.logits)
    for end in range(len(ids), 0, -1):  # earlier steps
        logits.append(model.distribution(ids[:end]).logits)
    for by_hand in range(4):  # branches
        logits.append(model.distribution((*ids[: 5 + by_hand], 90 + number)).logits)
    return logits


@pytest.mark.slow
def test_many_threads_give_the_bits_of_one(each: Tiny) -> None:
    alone = each.fresh()
    want = [walk(alone, number) for number in range(THREADS)]
    for _ in range(2):
        shared = each.fresh()
        for got, expected in zip(together(lambda n, shared=shared: walk(shared, n)), want, strict=True):  # type: ignore[misc]
            assert [g.tobytes() for g in got] == [e.tobytes() for e in expected]
        assert shared.prefix_cache.counters.passes <= alone.prefix_cache.counters.passes


@pytest.mark.parametrize("family", ["gpt2", "mistral", "mamba"])
@pytest.mark.parametrize("room", [4, 10_000])
def test_random_use_by_many_threads_keeps_the_books(build: Callable[[str], Tiny], family: str, room: int) -> None:
    tiny = build(family)
    max_bytes = room * tiny.model.records([5])[0].nbytes
    model = tiny.fresh(max_bytes=max_bytes)

    def use(number: int) -> dict[tuple[int, ...], np.ndarray]:
        rng = random.Random(number)
        texts = [tuple(rng.randrange(10, 13) for _ in range(rng.randrange(1, 10))) for _ in range(15)]
        return {ids: model.records(ids)[-1].logits for ids in texts}

    for answers in together(use):
        for ids, logits in answers.items():
            np.testing.assert_allclose(logits, tiny.forward(ids).logits[0, -1].numpy(), atol=1e-4, rtol=1e-4)
    check(model.prefix_cache, max_bytes)
