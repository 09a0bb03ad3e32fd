"""Benchmark of one generation step with all outputs recorded, of the filters, and of passes for earlier positions.

A step is compared with the plain cached forward pass of the same weights in `transformers` (sdpa, DynamicCache). Both
alternate, with the order changing each time, so that other load on the machine affects both. A ratio is the median over
all pairs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    DynamicCache,
    LogitsProcessorList,
    PreTrainedModel,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

import engine
from engine.bundled import BUNDLED
from engine.model.model import Model
from engine.sampling.distribution import Distribution

CONTEXTS = (16, 128, 512)
VOCABULARY = 150_000  # as of the large models of today
STEPS = 12  # consecutive; the first is not measured, because it starts a new branch
ROUNDS = 30


class PlainGeneration:
    """The same model in plain `transformers`: one token at a time with a growing cache."""

    def __init__(self, reference: PreTrainedModel, text: Sequence[int]) -> None:
        self._reference = reference
        self._length = len(text)
        self._cache = DynamicCache(config=reference.config)
        self.step(text)

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> None:
        ids = torch.tensor([tokens])
        out = self._reference(input_ids=ids, past_key_values=self._cache, use_cache=True)
        self.logits = out.logits[0, -1]  # (V,)

    def reset(self) -> None:
        """Crop the cache to the initial text."""
        self._cache.crop(self._length - self._cache.get_seq_length())


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - started) / 1e6


def step_times(
    model: Model, reference: PreTrainedModel, context: int, rounds: int = ROUNDS
) -> tuple[list[float], list[float]]:
    """Milliseconds of each recorded step, and of each plain one, after about `context` tokens.

    If `context` is the model's maximum, the steps are those that fill the window.
    """
    rng = np.random.default_rng(context)
    text = rng.integers(1, model.vocabulary.size, min(context, model.context_length - STEPS)).tolist()
    model.records(text)
    plain = PlainGeneration(reference, text)
    ours: list[float] = []
    theirs: list[float] = []
    for round_number in range(rounds):
        plain.reset()
        ids = list(text)
        for step, token in enumerate([round_number + 1, *rng.integers(1, model.vocabulary.size, STEPS - 1).tolist()]):
            ids.append(token)
            pair: list[tuple[list[float], Callable[[], object]]] = [
                (ours, lambda ids=ids: model.records(ids)[-1].top),  # type: ignore[misc]
                (theirs, lambda token=token: plain.step([token])),  # type: ignore[misc]
            ]
            for times, work in pair if (round_number + step) % 2 else pair[::-1]:
                duration = milliseconds(work)
                if step:
                    times.append(duration)
        # The times are comparable only if both compute the same logits.
        np.testing.assert_allclose(model.records(ids)[-1].logits, plain.logits.numpy(), atol=1e-3)
    return ours, theirs


def filter_times(size: int) -> tuple[list[float], list[float]]:
    """Milliseconds of a filtered distribution with its twenty likeliest tokens, and of the processors and a `topk`."""
    logits = np.random.default_rng(0).normal(scale=3, size=size).astype(np.float32)
    ids, scores = torch.LongTensor([[0]]), torch.FloatTensor(logits)[None]
    chain = LogitsProcessorList([TemperatureLogitsWarper(0.8), TopPLogitsWarper(0.95)])
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        ours.append(
            milliseconds(lambda: Distribution([0], logits, engine.Settings(temperature=0.8, top_p=0.95), str).top(20))
        )
        theirs.append(milliseconds(lambda: (torch.softmax(chain(ids, scores), dim=-1), scores.topk(20))))
    return ours, theirs


def cost(model: Model, ids: Sequence[int]) -> str:
    """Number of passes and of tokens computed for a text, given the current prefix cache."""
    counters = model.prefix_cache.counters
    passes, tokens = counters.passes, counters.tokens
    model.records(ids)
    return f"{counters.passes - passes} passes, {counters.tokens - tokens} tokens"


def run() -> None:
    """Print the ratios and the counts."""
    torch.set_num_threads(1)  # as in the app
    model = engine.load()
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="sdpa").eval()
    for context in CONTEXTS:
        ours, theirs = step_times(model, reference, context)
        ratio = statistics.median(our_time / plain_time for our_time, plain_time in zip(ours, theirs, strict=True))
        print(f"a step with all outputs recorded ÷ a plain cached one, {context} tokens of context: {ratio:.2f}"
              f"  ({statistics.median(ours):.2f} ms, {statistics.median(theirs):.2f} ms)")  # fmt: skip
    ours, theirs = filter_times(VOCABULARY)
    ratio = statistics.median(our_time / plain_time for our_time, plain_time in zip(ours, theirs, strict=True))
    print(f"temperature, top-p and the likeliest tokens ÷ processors and topk, {VOCABULARY:,} tokens: {ratio:.2f}"
          f"  ({statistics.median(ours):.2f} ms, {statistics.median(theirs):.2f} ms)")  # fmt: skip
    ids = list(range(100, 200))
    print(f"a prompt of {len(ids)} tokens: {cost(model, ids)}")
    print(f"the next token: {cost(model, [*ids, 1])}")
    print(f"an earlier position again: {cost(model, ids[:50])}")
    print(f"a branch in the middle: {cost(model, [*ids[:50], 1])}")
