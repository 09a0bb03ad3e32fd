"""Number format of a model's weights: float32, bfloat16, or the one that is faster on this processor.

bfloat16 halves the memory that a step reads, and on processors without instructions for it takes several times as long
for a prompt: which is faster is measured. The numbers are those of `transformers` in the same format.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from engine.model.forward import Forward
from engine.model.kv_cache import KVCache

Dtype = Literal["float32", "bfloat16", "auto"]
Format = Literal["float32", "bfloat16"]
_PROMPT, _STEPS, _TIMED_STEPS = 24, 48, 6  # tokens of the text for which a format is chosen; steps that are timed


def load_fastest(load: Callable[[Format], Forward], dtype: Dtype) -> Forward:
    """The model as `load` reads it in a format; with `auto` in each, of which the slower is dropped."""
    if dtype != "auto":
        return load(dtype)
    exact = load("float32")
    seconds = text_seconds(exact)
    rounded = load("bfloat16")
    return rounded if text_seconds(rounded) < seconds else exact


def text_seconds(forward: Forward) -> float:
    """Seconds for a prompt of _PROMPT tokens and _STEPS steps after it."""
    cache = KVCache(forward.layers, forward.device) if forward.supports_kv_cache else None
    prompt = [0, 1] * (_PROMPT // 2)
    passes = [_seconds(forward, prompt, None) for _ in range(2)]
    steps = [_seconds(forward, [0] if cache else prompt, cache) for _ in range(_TIMED_STEPS)]
    return min(passes) + _STEPS * min(steps)


def _seconds(forward: Forward, ids: list[int], cache: KVCache | None) -> float:
    started = time.perf_counter()
    forward.run(ids, cache)
    return time.perf_counter() - started
