"""Benchmark of speculative decoding: passes a token, and time as a ratio to one token a pass over the same text.

Greedy search, 32 tokens after each of four prompts. Both are timed in one run; the ratio is that of the sums over the
prompts, the median of the rounds.
"""

from __future__ import annotations

import statistics

import torch

import engine
from engine.decoding.drafting import Drafter, LookupDrafter, layer_drafter
from engine.decoding.speculative import SpeculativeDecoding
from engine.model.model import Model
from engine.sampling.settings import Settings

PROMPTS = (
    "從前從前，有一個",
    "今天天氣真",
    "Once upon a time, there was a",
    "One, two, three. One, two, three. One,",
)
LAYERS = (2, 3, 4, 5)
GUESSES = (2, 4, 8)
TOKENS, ROUNDS = 32, 3


def _measured(model: Model, layers: int | None, guesses: int) -> tuple[float, float]:
    """(passes of the whole model a token, time as a ratio to one token a pass); `layers` None: prompt lookup."""
    passes = written = 0
    ratios = []
    for _ in range(ROUNDS):
        seconds = single = 0.0
        for prompt in PROMPTS:
            drafter: Drafter = LookupDrafter() if layers is None else layer_drafter(model, layers)
            ids = model.encode(prompt)
            work = SpeculativeDecoding(model, ids, drafter, guesses, "greedy", Settings(), 0, TOKENS)
            while work.step():
                pass
            assert work.identical
            passes, written = passes + work.passes, written + work.written
            seconds, single = seconds + work.seconds, single + (work.single_seconds or 0.0)
        ratios.append(seconds / single)
    return passes / written, statistics.median(ratios)


def run() -> None:
    """Print passes and ratios."""
    torch.set_num_threads(1)  # as in the app
    model = engine.load()
    for layers in (*LAYERS, None):
        for guesses in GUESSES:
            passes, ratio = _measured(model, layers, guesses)
            who = "prompt lookup" if layers is None else f"first {layers} layers"
            print(f"speculative, {who}, {guesses} guesses: {passes:.2f} passes a token, time / one by one {ratio:.2f}")
