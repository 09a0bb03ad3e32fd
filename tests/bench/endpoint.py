"""Benchmark of a step over llama.cpp in this process: everything the engine does, beside the server's bare answer.

The bare answer is the same request, read to its end and not looked at. Both alternate; a ratio is the median over all
pairs. The bundled model is served, once with 20 alternatives a token and once with its whole vocabulary.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from engine.remote.connect import connect
from engine.remote.embedded import EmbeddedServer
from engine.remote.endpoint import Endpoint
from tests.gguf_files import write_bundled

PAIRS = 40
PROMPT = "今天天氣真"
_KEY = "BENCH_ENDPOINT_KEY"


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - started) / 1e6


def measure(server: EmbeddedServer, alternatives: int) -> tuple[float, float, int]:
    """Medians of the ratio of a step to the bare answer and of the step in milliseconds; requests of a second visit."""
    remote = connect(Endpoint("bench", server.url, key=_KEY, alternatives=alternatives), 2**28)
    prompt = remote.encode(PROMPT)
    texts = [(*prompt, 1000 + i) for i in range(PAIRS)]
    ratios, steps = [], []
    with httpx2.Client(headers={"Authorization": f"Bearer {server.key}"}, trust_env=False, timeout=60) as bare:
        for i, text in enumerate(texts):
            body = {"model": "bundled", "max_tokens": 1, "temperature": 0, "prompt": list(text)}
            body |= {"logprobs": remote.capabilities.top, "logit_bias": [[66, 1000.0]]}

            def ask(body: dict[str, object] = body) -> None:
                bare.post(f"{server.url}/v1/completions", json=body).raise_for_status()

            def step(text: tuple[int, ...] = text) -> None:
                remote.distribution(text).top(10)

            ask()  # the server has the text's keys and values then, for both
            times = {work: milliseconds(work) for work in ((step, ask) if i % 2 else (ask, step))}
            ratios.append(times[step] / times[ask])
            steps.append(times[step])
    before = remote.prefix_cache.counters.passes
    for text in texts:
        remote.distribution(text)
    return statistics.median(ratios), statistics.median(steps), remote.prefix_cache.counters.passes - before


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(write_bundled(Path(folder) / "bundled.gguf"))
        os.environ[_KEY] = server.key
        print("endpoint: a step over llama.cpp ÷ the server's bare answer")
        for name, alternatives in (("20 alternatives", 20), ("whole vocabulary", 0)):
            ratio, step, again = measure(server, alternatives)
            print(f"  {name:18} ×{ratio:.2f}  ({step:.1f} ms a step; a second visit: {again} requests)")
        server.stop()
