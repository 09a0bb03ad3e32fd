"""How much recording everything costs a step, and how much of the model a look back or a branch needs.

A step is measured beside the bare cached forward of the same weights as `transformers` does it by itself (sdpa,
DynamicCache), one after the other with the order changing each time, so that whatever else the machine does meets
both. A ratio is the median over all pairs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from transformers import AutoModelForCausalLM, DynamicCache, PreTrainedModel

import engine
from engine.bundled import BUNDLED
from engine.model.model import Model

CONTEXTS = (16, 128, 512)
STEPS = 12  # in a row, the first of them not measured: it leaves a branch behind
ROUNDS = 30


class Bare:
    """The same model without anything of ours: one token at a time on a growing cache."""

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

    def again(self) -> None:
        """Back to the text that it began with."""
        self._cache.crop(self._length - self._cache.get_seq_length())


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - started) / 1e6


def step_times(model: Model, reference: PreTrainedModel, context: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each step with everything recorded, and of each bare one, around so many tokens of context.

    Where the window ends at `context`, its last tokens are the ones measured.
    """
    dice = np.random.default_rng(context)
    text = dice.integers(1, model.vocabulary.size, min(context, model.context_length - STEPS)).tolist()
    model.records(text)
    bare = Bare(reference, text)
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(ROUNDS):
        bare.again()
        written = list(text)
        for at, token in enumerate([turn + 1, *dice.integers(1, model.vocabulary.size, STEPS - 1).tolist()]):
            written.append(token)
            pair: list[tuple[list[float], Callable[[], object]]] = [
                (ours, lambda written=written: model.records(written)[-1].top),  # type: ignore[misc]
                (theirs, lambda token=token: bare.step([token])),  # type: ignore[misc]
            ]
            for times, work in pair if (turn + at) % 2 else pair[::-1]:
                taken = milliseconds(work)
                if at:
                    times.append(taken)
        # Both must have computed the same, or a comparison says nothing.
        np.testing.assert_allclose(model.records(written)[-1].logits, bare.logits.numpy(), atol=1e-3)
    return ours, theirs


def cost(model: Model, ids: Sequence[int]) -> str:
    """Passes and tokens that asking for a text takes now."""
    counters = model.prefix_cache.counters
    passes, tokens = counters.passes, counters.tokens
    model.records(ids)
    return f"{counters.passes - passes} passes, {counters.tokens - tokens} tokens"


def run() -> None:
    """Print the ratios and the counts."""
    torch.set_num_threads(1)  # as the app
    model = engine.load()
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="sdpa").eval()
    for context in CONTEXTS:
        ours, theirs = step_times(model, reference, context)
        ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
        print(f"a step with everything recorded ÷ a bare cached one, {context} tokens of context: {ratio:.2f}"
              f"  ({statistics.median(ours):.2f} ms, {statistics.median(theirs):.2f} ms)")  # fmt: skip
    ids = list(range(100, 200))
    print(f"a prompt of {len(ids)} tokens: {cost(model, ids)}")
    print(f"the next token: {cost(model, [*ids, 1])}")
    print(f"looking at any earlier step again: {cost(model, ids[:50])}")
    print(f"a branch in the middle: {cost(model, [*ids[:50], 1])}")
