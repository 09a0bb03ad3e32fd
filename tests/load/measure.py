"""Load measurement: concurrent visitors who click once a second; response times, fairness, memory, CPU time.

A visitor whose response is late clicks again as soon as it has arrived, so there is at most one click in flight for
each. Measures one server process without other visitors.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.load.client import Visitor
from tests.serving import Server, free_port, scrape_metrics, started

CLASS = 30
MINUTES = 3
CLICK_INTERVAL = 1.0  # seconds
TREE_MB = 512  # the default: holds all tokens that a class generates in three minutes
WORDS = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏閏餘成歲律呂調陽雲騰致雨露結為霜金生麗水"


@dataclass
class Measured:
    """Results. Memory is in bytes, without the prefix cache, which all visitors share and whose size is bounded."""

    seconds: list[list[float]] = field(default_factory=list)  # response times, a list for each visitor
    errors: list[str] = field(default_factory=list)
    bytes_a_click: float = 0.0  # sent by the server
    cpu_a_click: float = 0.0  # CPU seconds of the server
    memory: list[tuple[float, int]] = field(default_factory=list)  # (seconds since the first click, bytes)
    alone: int = 0  # memory with one visitor
    together: int = 0  # memory with all visitors, before they click

    def percentile(self, share: float) -> float:
        """Percentile of all response times, by nearest rank; `share` from 0 to 1."""
        times = sorted(second for seconds in self.seconds for second in seconds)
        return times[max(0, math.ceil(share * len(times)) - 1)]

    @property
    def fairness(self) -> float:
        """Fewest ÷ most clicks of one visitor."""
        counts = [len(seconds) for seconds in self.seconds]
        return min(counts) / max(counts)

    @property
    def growth(self) -> float:
        """Relative growth of memory in the last minute, or in the last third of a shorter measurement."""
        end = self.memory[-1][0]
        since = end - min(60.0, end / 3)
        before = [size for at, size in self.memory if at <= since][-1]
        return self.memory[-1][1] / before - 1

    @property
    def a_session(self) -> float:
        """Bytes of memory for each further visitor."""
        return (self.together - self.alone) / max(1, len(self.seconds) - 1)


async def measure(visitors: int, seconds: float, same: bool) -> Measured:
    """Measure `visitors` who click for `seconds`, with the `same` prompt or each with their own."""
    port = free_port()
    limits = {"ENGINE_TREE_MB": str(TREE_MB), "ENGINE_SESSIONS": "0", "ENGINE_STEPS_PER_MINUTE": "0"}
    with started(**limits, ENGINE_METRICS=str(port)) as server:
        measured = Measured()
        clients = [Visitor(server.address) for _ in range(visitors)]
        try:
            await _open_all(clients, server, port, same, measured)
            start, cpu = time.monotonic(), server.cpu()
            sampling = asyncio.create_task(_sample_memory(server, port, start, measured))
            measured.seconds = await asyncio.gather(
                *(
                    _click(visitor, start + CLICK_INTERVAL * i / visitors, start + seconds)
                    for i, visitor in enumerate(clients)
                )
            )
            sampling.cancel()
            cpu = server.cpu() - cpu
            measured.memory.append((time.monotonic() - start, _memory(server, port)))
        finally:
            await asyncio.gather(*(visitor.close() for visitor in clients))
        measured.errors = [error for visitor in clients for error in visitor.errors]
        clicks = sum(map(len, measured.seconds))
        measured.cpu_a_click = cpu / max(1, clicks)
        measured.bytes_a_click = sum(visitor.received for visitor in clients) / max(1, clicks)
        return measured


def _memory(server: Server, port: int) -> int:
    """Memory of the server in bytes, without the prefix cache."""
    return server.memory() - int(scrape_metrics(port)["next_token_tree_bytes"])


async def _open_all(clients: Sequence[Visitor], server: Server, port: int, same: bool, measured: Measured) -> None:
    """Open the page for all visitors, type their own prompts, and reset the counters of received bytes."""
    for number, visitor in enumerate(clients):
        await visitor.open()
        if not same:
            await visitor.type("prompt", WORDS[number % len(WORDS) :] + str(number))
        if number == 0:
            for _ in range(5):  # warm-up
                await visitor.move("next")
            await visitor.move("restart")
            measured.alone = _memory(server, port)
    measured.together = _memory(server, port)
    for visitor in clients:
        visitor.received = 0


async def _click(visitor: Visitor, start: float, end: float) -> list[float]:
    """Click on Next until `end`, on Restart where no token may follow; returns the response times."""
    response_times: list[float] = []
    due = start
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        kind = "restart" if visitor.data["stage"]["ended"] else "next"
        response_times.append(await visitor.move(kind))
        due = max(due + CLICK_INTERVAL, time.monotonic())
    return response_times


async def _sample_memory(server: Server, port: int, start: float, measured: Measured) -> None:
    while True:
        measured.memory.append((time.monotonic() - start, await asyncio.to_thread(_memory, server, port)))
        await asyncio.sleep(2)


def report(measured: Measured, same: bool) -> str:
    """The results as text."""
    clicks = sum(map(len, measured.seconds))
    mb = 2**20
    return (
        f"{len(measured.seconds)} visitors, {'one prompt' if same else 'each their own prompt'}:"
        f" {clicks} clicks, {len(measured.errors)} errors\n"
        f"  click to answer: median {measured.percentile(0.5) * 1000:.0f} ms,"
        f" 95 % within {measured.percentile(0.95) * 1000:.0f} ms, slowest {measured.percentile(1) * 1000:.0f} ms\n"
        f"  fewest ÷ most steps of a visitor: {measured.fairness:.2f}\n"
        f"  memory beside the tree: {measured.a_session / mb:.2f} MB a visitor,"
        f" {measured.memory[0][1] / mb:.0f} MB at first,"
        f" {measured.memory[-1][1] / mb:.0f} MB in the end, {measured.growth:+.1%} in the last minute\n"
        f"  a click: {measured.cpu_a_click * 1000:.0f} ms of processor time,"
        f" {measured.bytes_a_click / 1000:.0f} kB sent"
    )
