"""What looking inside costs: attention that was recorded beside a pass for it, occlusion in a batch, and the memory.

Pairs take turns, so that whatever else the machine does meets both. A ratio is the median over all pairs.
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


def in_turns(one: Callable[[], object], other: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Seconds that each took, round by round; the first of a round changes each time."""
    times: tuple[list[float], list[float]] = [], []
    for turn in range(ROUNDS):
        for taken, work in sorted(zip(times, (one, other), strict=True), key=lambda pair: pair[0] is times[turn % 2]):
            taken.append(seconds(work))
    return times


def told(what: str, times: tuple[list[float], list[float]]) -> None:
    ratio = statistics.median(one / other for one, other in zip(*times, strict=True))
    one, other = (1e3 * statistics.median(taken) for taken in times)
    print(f"{what}: {ratio:.3f}  ({one:.1f} ms, {other:.1f} ms)")


def empty(model: Model) -> Model:
    """The same weights with a tree that knows nothing."""
    tree = PrefixCache(model.prefix_cache.forward, 2**30)
    return Model(model.name, model.vocabulary, tree, model.context_length, model.end_ids)


def attention(model: Model) -> None:
    """All heads of a text that was written step by step, beside one pass of the library that returns them."""
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="eager").eval()
    ids = np.random.default_rng(0).integers(1, model.vocabulary.size, STEPS).tolist()
    for end in range(1, STEPS + 1):
        model.records(ids[:end])

    @torch.inference_mode()
    def again() -> np.ndarray:
        out = reference(input_ids=torch.tensor([ids]), use_cache=False, output_attentions=True)
        return torch.cat(out.attentions).numpy()  # (L, H, T, T)

    # Both must give the same, or a comparison says nothing.
    np.testing.assert_allclose(model.attention(ids), again(), atol=1e-4)
    told(f"attention of all heads after {STEPS} steps ÷ a pass for it", in_turns(lambda: model.attention(ids), again))


def occlusion(model: Model) -> None:
    """Every token left out in turn, in batches, beside one variant after another."""
    ids = model.encode(PROMPT)
    token_id = model.records(ids)[-1].top[0]

    def batch() -> np.ndarray:
        return attribution.occlusion(model, ids, token_id).masked

    def one_by_one() -> np.ndarray:
        with mock.patch.object(attribution, "_CHUNK", 1):
            return batch()

    np.testing.assert_allclose(batch(), one_by_one(), atol=1e-3)
    told(f"{len(ids)} tokens left out in batches ÷ one after another", in_turns(batch, one_by_one))


def memory(model: Model) -> None:
    """What the tree keeps of a long text: logits, states, attention, keys and values."""
    fresh = empty(model)
    length = min(LONG, model.context_length)
    fresh.records(np.random.default_rng(1).integers(1, model.vocabulary.size, length).tolist())
    print(f"{length} tokens fully recorded: {fresh.prefix_cache.nbytes / 2**20:.1f} MiB")


def run() -> None:
    """Print the ratios and the memory."""
    torch.set_num_threads(1)  # as the app
    model = engine.load()
    attention(empty(model))
    occlusion(model)
    memory(model)
