"""Benchmarks of the attention page: recorded attention against a pass for it, batched occlusion, and memory.

The two sides of a pair alternate, so that other load on the machine affects both. A ratio is the median over all pairs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from unittest import mock

import numpy as np
import torch
from transformers import AutoModelForCausalLM

import engine
from engine.bundled import BUNDLED
from engine.interpret import attribution
from engine.model.model import Model
from engine.model.prefix_cache import PrefixCache

STEPS = 128
LONG = 512
PROMPT = "從前有一隻小貓，牠很喜歡在花園裡玩。有一天，"
ROUNDS = 12


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def alternate(first: Callable[[], object], second: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Seconds of each call, by round; the order changes with every round."""
    times: tuple[list[float], list[float]] = [], []
    for round_number in range(ROUNDS):
        pairs = list(zip(times, (first, second), strict=True))
        for durations, work in pairs if round_number % 2 else pairs[::-1]:
            durations.append(seconds(work))
    return times


def print_ratio(name: str, times: tuple[list[float], list[float]]) -> None:
    """Print the median ratio, and the median milliseconds of both sides."""
    ratio = statistics.median(first / second for first, second in zip(*times, strict=True))
    first, second = (1e3 * statistics.median(durations) for durations in times)
    print(f"{name}: {ratio:.3f}  ({first:.1f} ms, {second:.1f} ms)")


def empty(model: Model) -> Model:
    """The same weights with an empty prefix cache."""
    cache = PrefixCache(model.prefix_cache.forward, 2**30)
    return Model(model.name, model.vocabulary, cache, model.context_length, model.end_ids)


def attention(model: Model) -> None:
    """Attention of all heads recorded during step-by-step generation, against one pass of `transformers` for it."""
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="eager").eval()
    ids = np.random.default_rng(0).integers(1, model.vocabulary.size, STEPS).tolist()
    for end in range(1, STEPS + 1):
        model.records(ids[:end])

    @torch.inference_mode()
    def one_pass() -> np.ndarray:
        out = reference(input_ids=torch.tensor([ids]), use_cache=False, output_attentions=True)
        return torch.cat(out.attentions).numpy()  # (L, H, T, T)

    # The times are comparable only if both compute the same attention.
    np.testing.assert_allclose(model.attention(ids), one_pass(), atol=1e-4)
    times = alternate(lambda: model.attention(ids), one_pass)
    print_ratio(f"attention of all heads after {STEPS} steps ÷ a pass for it", times)


def occlusion(model: Model) -> None:
    """Occlusion of each token, with the variants in batches against one variant after another."""
    ids = model.encode(PROMPT)
    token_id = model.records(ids)[-1].top[0]

    def batch() -> np.ndarray:
        return attribution.occlusion(model, ids, token_id).masked

    def one_by_one() -> np.ndarray:
        with mock.patch.object(attribution, "_CHUNK", 1):
            return batch()

    np.testing.assert_allclose(batch(), one_by_one(), atol=1e-3)
    print_ratio(f"occlusion of {len(ids)} tokens in batches ÷ one after another", alternate(batch, one_by_one))


def memory(model: Model) -> None:
    """Memory of a long text in the prefix cache: logits, hidden states, attention, keys and values."""
    fresh = empty(model)
    length = min(LONG, model.context_length)
    fresh.records(np.random.default_rng(1).integers(1, model.vocabulary.size, length).tolist())
    print(f"{length} tokens fully recorded: {fresh.prefix_cache.nbytes / 2**20:.1f} MiB")


def run() -> None:
    """Print the ratios and the memory."""
    torch.set_num_threads(1)  # as in the app
    model = engine.load()
    attention(empty(model))
    occlusion(model)
    memory(model)
