"""Many visitors at once, each clicking once a second, and what that does to the answers and to the memory.

A visitor who falls behind clicks again as soon as the answer is there, never two clicks at once. Every number is of
one server process that serves nobody else.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.load.client import Visitor
from tests.serving import Server, figures, free_port, started

CLASS = 30
MINUTES = 3
EVERY = 1.0  # seconds from a visitor's click to the next one
TREE_MB = 512  # as by default: room for what a class writes in three minutes
WORDS = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏閏餘成歲律呂調陽雲騰致雨露結為霜金生麗水"


@dataclass
class Measured:
    """seconds from click to answer, one list a visitor; bytes of the server with one, with all, during the visits.

    The prefix tree, which belongs to all and has a bound of its own, is not counted.
    """

    seconds: list[list[float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    bytes_a_click: float = 0.0
    cpu_a_click: float = 0.0  # seconds of the server's processor time
    memory: list[tuple[float, int]] = field(default_factory=list)  # (seconds since the first click, bytes)
    alone: int = 0  # with one visitor
    together: int = 0  # with all of them, before they click

    def percentile(self, share: float) -> float:
        """Nearest rank, over the clicks of all."""
        taken = sorted(second for of_one in self.seconds for second in of_one)
        return taken[max(0, math.ceil(share * len(taken)) - 1)]

    @property
    def fairness(self) -> float:
        """Fewest ÷ most steps of one visitor."""
        counts = [len(of_one) for of_one in self.seconds]
        return min(counts) / max(counts)

    @property
    def growth(self) -> float:
        """Memory at the end ÷ at the beginning of the last minute (of the last third of a shorter measurement) − 1."""
        end = self.memory[-1][0]
        since = end - min(60.0, end / 3)
        before = [size for at, size in self.memory if at <= since][-1]
        return self.memory[-1][1] / before - 1

    @property
    def a_session(self) -> float:
        """Bytes that each visitor adds."""
        return (self.together - self.alone) / max(1, len(self.seconds) - 1)


async def measure(visitors: int, seconds: float, same: bool) -> Measured:
    """So many visitors step for so long, all with one prompt or each with their own."""
    port = free_port()
    limits = {"ENGINE_TREE_MB": str(TREE_MB), "ENGINE_SESSIONS": "0", "ENGINE_STEPS_PER_MINUTE": "0"}
    with started(**limits, ENGINE_METRICS=str(port)) as server:
        found = Measured()
        everybody = [Visitor(server.address) for _ in range(visitors)]
        try:
            await _come(everybody, server, port, same, found)
            begun, cpu = time.monotonic(), server.cpu()
            watching = asyncio.create_task(_watch(server, port, begun, found))
            found.seconds = await asyncio.gather(
                *(
                    _click(visitor, begun + EVERY * at / visitors, begun + seconds)
                    for at, visitor in enumerate(everybody)
                )
            )
            watching.cancel()
            cpu = server.cpu() - cpu
            found.memory.append((time.monotonic() - begun, _memory(server, port)))
        finally:
            await asyncio.gather(*(visitor.close() for visitor in everybody))
        found.errors = [error for visitor in everybody for error in visitor.errors]
        clicks = sum(len(of_one) for of_one in found.seconds)
        found.cpu_a_click = cpu / max(1, clicks)
        found.bytes_a_click = sum(visitor.received for visitor in everybody) / max(1, clicks)
        return found


def _memory(server: Server, port: int) -> int:
    """Bytes of the server less those of the prefix tree, which belongs to all and has a bound of its own."""
    return server.memory() - int(figures(port)["next_token_tree_bytes"])


async def _come(everybody: Sequence[Visitor], server: Server, port: int, same: bool, found: Measured) -> None:
    """All open the page and, where each has their own, type a prompt; then nothing counts that was received so far."""
    for number, visitor in enumerate(everybody):
        await visitor.open()
        if not same:
            await visitor.type("prompt", WORDS[number % len(WORDS) :] + str(number))
        if number == 0:
            for _ in range(5):  # what only a first click loads
                await visitor.click("next")
            await visitor.click("restart")
            found.alone = _memory(server, port)
    found.together = _memory(server, port)
    for visitor in everybody:
        visitor.received = 0


async def _click(visitor: Visitor, begin: float, end: float) -> list[float]:
    """Click on Next until the end, or on Restart where a text has come to its end."""
    taken: list[float] = []
    turn = begin
    while turn < end:
        await asyncio.sleep(max(0.0, turn - time.monotonic()))
        key = "restart" if visitor.widgets["next"].disabled else "next"
        taken.append(await visitor.click(key))
        turn = max(turn + EVERY, time.monotonic())
    return taken


async def _watch(server: Server, port: int, begun: float, found: Measured) -> None:
    while True:
        found.memory.append((time.monotonic() - begun, await asyncio.to_thread(_memory, server, port)))
        await asyncio.sleep(2)


def report(found: Measured, same: bool) -> str:
    """What was measured, for a person."""
    clicks = sum(len(of_one) for of_one in found.seconds)
    mb = 2**20
    return (
        f"{len(found.seconds)} visitors, {'one prompt' if same else 'each their own prompt'}:"
        f" {clicks} clicks, {len(found.errors)} errors\n"
        f"  click to answer: median {found.percentile(0.5) * 1000:.0f} ms,"
        f" 95 % within {found.percentile(0.95) * 1000:.0f} ms, slowest {found.percentile(1) * 1000:.0f} ms\n"
        f"  fewest ÷ most steps of a visitor: {found.fairness:.2f}\n"
        f"  memory beside the tree: {found.a_session / mb:.2f} MB a visitor, {found.memory[0][1] / mb:.0f} MB at first,"
        f" {found.memory[-1][1] / mb:.0f} MB in the end, {found.growth:+.1%} in the last minute\n"
        f"  a click: {found.cpu_a_click * 1000:.0f} ms of processor time, {found.bytes_a_click / 1000:.0f} kB sent"
    )
