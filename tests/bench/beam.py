"""Beam search with its whole tree recorded beside `generate` with the same arguments, and what a node takes in memory.

Both search the same prompts with the same weights, in turns; each of our searches begins with an empty prefix tree. A
ratio is the median over all pairs.
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
NEW = 32
ROUNDS = 6


def empty(model: Model) -> Model:
    """The same weights with a tree that is empty."""
    tree = PrefixCache(model.prefix_cache.forward, 2**30)
    return Model(model.name, model.vocabulary, tree, model.context_length, model.end_ids)


def times(model: Model, reference: Any, width: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each of our searches, and of each of `generate`'s."""
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(ROUNDS + 1):  # the first round is not measured
        for prompt in PROMPTS:
            ids = model.encode(prompt)
            found: dict[str, Any] = {}

            def search(ids: tuple[int, ...] = ids, found: dict[str, Any] = found) -> None:
                found["ours"] = engine.beam_search(empty(model), ids, width=width, max_new_tokens=NEW)

            def generate(ids: tuple[int, ...] = ids, found: dict[str, Any] = found) -> None:
                found["theirs"] = reference.generate(
                    torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
                    num_beams=width, num_return_sequences=width, max_new_tokens=NEW, pad_token_id=0,
                )  # fmt: skip

            pair = [(ours, search), (theirs, generate)]
            for taken, work in pair if turn % 2 else pair[::-1]:
                spent = milliseconds(work)
                if turn:
                    taken.append(spent)
            # Both must have found the same, or a comparison says nothing.
            best = found["ours"].sequences[0].token_ids
            assert found["theirs"][0].tolist()[: len(best)] == list(best)
    return ours, theirs


def memory(model: Model) -> str:
    """Bytes that the tree holds for each node: of those computed, and of all that were looked at."""
    fresh = empty(model)
    ids = model.encode(PROMPTS[0])
    fresh.records(ids)
    before, computed = fresh.prefix_cache.nbytes, len(fresh.prefix_cache)
    search: BeamSearch = engine.beam_search(fresh, ids, width=8, max_new_tokens=NEW)
    grown, nodes = fresh.prefix_cache.nbytes - before, len(fresh.prefix_cache) - computed
    return f"{grown / nodes / 1000:.0f} kB a node computed, {grown / (len(search.nodes) - 1) / 1000:.0f} kB a node seen"


def run() -> None:
    """Print the ratios and the memory."""
    torch.set_num_threads(1)  # as the app
    model = engine.load()
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="sdpa").eval()
    for width in WIDTHS:
        ours, theirs = times(model, reference, width)
        ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
        print(f"beam search with its tree recorded ÷ generate, width {width}, {NEW} tokens: {ratio:.2f}"
              f"  ({statistics.median(ours):.0f} ms, {statistics.median(theirs):.0f} ms)", flush=True)  # fmt: skip
    print(f"memory of a search, width 8, {NEW} tokens: {memory(model)}")
