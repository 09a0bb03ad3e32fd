"""What a link costs: characters, milliseconds to write and to read one, the slowest that a stranger can send."""

from __future__ import annotations

import random
import statistics
import time
import tracemalloc
from collections.abc import Callable

import engine
from engine.sampling.settings import Settings
from engine.trace.link_codec import MOST_TOKENS
from engine.trace.trace import Choice, Trace
from pages.shell.address import coded, text_and_continuation

ROUNDS = 30


def milliseconds(work: Callable[[], object]) -> float:
    """Median of this thread's own time, whatever else the machine does."""
    taken = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        work()
        taken.append((time.thread_time() - started) * 1000)
    return statistics.median(taken)


def megabytes(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def run() -> None:
    """Print the numbers."""
    model, dice = engine.load(), random.Random(0)
    for length in (16, 64, 200, 500):
        ids = [dice.randrange(model.vocabulary.size) for _ in range(length)]
        trace = Trace.start(model.name, ids[:5], Settings(temperature=0.8, top_p=0.95), seed=7)
        for token_id in ids[5:]:
            trace = trace.choose(token_id, "drawn")
        text = engine.encode_trace(trace)
        both = milliseconds(lambda trace=trace: (coded(trace), text_and_continuation(model, trace, "")))  # type: ignore[misc]
        read = milliseconds(lambda text=text: engine.decode_trace(text))  # type: ignore[misc]
        print(f"a link to {length} tokens: {len(text)} characters, {both:.2f} ms to write, {read:.2f} ms to read")
    star = tuple(
        Choice(dice.randrange(i) if i else -1, i, dice.choice(("hand", "drawn")) if i else "prompt")
        for i in range(MOST_TOKENS)
    )
    worst = engine.encode_trace(Trace(model.name, star, 1, 0, Settings()))
    taken, most = milliseconds(lambda: engine.decode_trace(worst)), megabytes(lambda: engine.decode_trace(worst))
    print(f"the largest text that is read: {len(worst)} characters, {taken:.1f} ms, {most:.1f} MB")
