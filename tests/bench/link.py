"""Benchmark of links: length in characters, time to encode and decode, and the most expensive link that is accepted."""

from __future__ import annotations

import random
import statistics
import time
import tracemalloc
from collections.abc import Callable

import engine
from engine.sampling.settings import Settings
from engine.trace.link_codec import MAX_TOKENS
from engine.trace.trace import Choice, Trace
from pages.shell.address import encode_for_url, text_and_continuation

ROUNDS = 30


def milliseconds(work: Callable[[], object]) -> float:
    """Median CPU time of this thread, so that other load on the machine does not count."""
    durations = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        work()
        durations.append((time.thread_time() - started) * 1000)
    return statistics.median(durations)


def megabytes(work: Callable[[], object]) -> float:
    """Peak memory allocated by Python during a call."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def run() -> None:
    """Print the numbers."""
    model, rng = engine.load(), random.Random(0)
    for length in (16, 64, 200, 500):
        ids = [rng.randrange(model.vocabulary.size) for _ in range(length)]
        trace = Trace.start(model.name, ids[:5], Settings(temperature=0.8, top_p=0.95), seed=7)
        for token_id in ids[5:]:
            trace = trace.choose(token_id, "drawn")
        text = engine.encode_trace(trace)
        encoding = milliseconds(lambda trace=trace: (encode_for_url(trace), text_and_continuation(model, trace, "")))  # type: ignore[misc]
        decoding = milliseconds(lambda text=text: engine.decode_trace(text))  # type: ignore[misc]
        print(f"a link to {length} tokens: {len(text)} characters,"
              f" {encoding:.2f} ms to encode, {decoding:.2f} ms to decode")  # fmt: skip
    star = tuple(
        Choice(rng.randrange(i) if i else -1, i, rng.choice(("hand", "drawn")) if i else "prompt")
        for i in range(MAX_TOKENS)
    )
    largest = engine.encode_trace(Trace(model.name, star, 1, 0, Settings()))
    duration = milliseconds(lambda: engine.decode_trace(largest))
    memory = megabytes(lambda: engine.decode_trace(largest))
    print(f"the largest link that is accepted: {len(largest)} characters, {duration:.1f} ms, {memory:.1f} MB")
