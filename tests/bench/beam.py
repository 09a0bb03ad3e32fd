"""Benchmark of beam search with its recorded tree against `generate` with the same arguments, and memory of a node.

Both search the same prompts with the same weights, alternately; each of our searches starts with an empty prefix cache.
A ratio is the median over all pairs.
"""

from __future__ import annotations

import statistics
from typing import Any

import torch
from transformers import AutoModelForCausalLM

import engine
from engine.bundled import BUNDLED
from engine.decoding.beam_search import BeamSearch
from engine.model.model import Model
from engine.model.prefix_cache import PrefixCache
from tests.bench.engine import milliseconds

PROMPTS = ("今天天氣真", "人工智慧是", "從前有一隻", "The weather today is")
WIDTHS = (1, 4, 8, 16)
NEW_TOKENS = 32
ROUNDS = 6


def empty(model: Model) -> Model:
    """The same weights with an empty prefix cache."""
    cache = PrefixCache(model.prefix_cache.forward, 2**30)
    return Model(model.name, model.vocabulary, cache, model.context_length, model.end_ids)


def times(model: Model, reference: Any, width: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each of our searches, and of each call of `generate`."""
    ours: list[float] = []
    theirs: list[float] = []
    for round_number in range(ROUNDS + 1):  # round 0 is a warm-up and is not measured
        for prompt in PROMPTS:
            ids = model.encode(prompt)
            results: dict[str, Any] = {}

            def search(ids: tuple[int, ...] = ids, results: dict[str, Any] = results) -> None:
                results["ours"] = engine.beam_search(empty(model), ids, width=width, max_new_tokens=NEW_TOKENS)

            def generate(ids: tuple[int, ...] = ids, results: dict[str, Any] = results) -> None:
                results["theirs"] = reference.generate(
                    torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
                    num_beams=width, num_return_sequences=width, max_new_tokens=NEW_TOKENS, pad_token_id=0,
                )  # fmt: skip

            pair = [(ours, search), (theirs, generate)]
            for durations, work in pair if round_number % 2 else pair[::-1]:
                duration = milliseconds(work)
                if round_number:
                    durations.append(duration)
            # The times are comparable only if both find the same sequence.
            best = results["ours"].sequences[0].token_ids
            assert results["theirs"][0].tolist()[: len(best)] == list(best)
    return ours, theirs


def memory(model: Model) -> str:
    """Memory of the prefix cache for each node that was computed, and for each candidate in the search tree."""
    fresh = empty(model)
    ids = model.encode(PROMPTS[0])
    fresh.records(ids)
    bytes_before, nodes_before = fresh.prefix_cache.nbytes, len(fresh.prefix_cache)
    search: BeamSearch = engine.beam_search(fresh, ids, width=8, max_new_tokens=NEW_TOKENS)
    added_bytes = fresh.prefix_cache.nbytes - bytes_before
    added_nodes = len(fresh.prefix_cache) - nodes_before
    per_computed, per_candidate = added_bytes / added_nodes / 1000, added_bytes / (len(search.nodes) - 1) / 1000
    return f"{per_computed:.0f} kB a node computed, {per_candidate:.0f} kB a candidate"


def run() -> None:
    """Print the ratios and the memory."""
    torch.set_num_threads(1)  # as in the app
    model = engine.load()
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="sdpa").eval()
    for width in WIDTHS:
        ours, theirs = times(model, reference, width)
        ratio = statistics.median(our_time / their_time for our_time, their_time in zip(ours, theirs, strict=True))
        print(f"beam search with its tree recorded ÷ generate, width {width}, {NEW_TOKENS} tokens: {ratio:.2f}"
              f"  ({statistics.median(ours):.0f} ms, {statistics.median(theirs):.0f} ms)", flush=True)  # fmt: skip
    print(f"memory of a search, width 8, {NEW_TOKENS} tokens: {memory(model)}")
