"""Load measurement of a classroom: a teacher and students over the real protocol, beside visitors who step.

Each member waits for news by the long poll, as a browser does, and then has the page drawn. A round: the teacher asks,
all students answer within ANSWER_SECONDS, half of them change the answer, the teacher reveals. Counted at both ends:
the answers that students were told are taken, and the votes in the result.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.load.client import Visitor
from tests.serving import started

STUDENTS, ROUNDS, STEPPING = 40, 10, 2
IDLE_SECONDS = 20
ANSWER_SECONDS = 4.0
WORDS = ["的", "好", "人", "天", "水", "今天", "，", "龘", "一", "我們"]


@dataclass
class Member:
    """A visitor in the room. `part`: of the versions, see `room_updates`; `view`: the component with the room."""

    visitor: Visitor
    part: str
    view: str
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def act(self, key: str, event: str, **value: object) -> float:
        """Report an event; the seconds until its changes are drawn, with the wait for what is being drawn."""
        since = time.perf_counter()
        async with self.lock:
            await self.visitor.trigger(key, event, value)
        return time.perf_counter() - since

    async def follow(self) -> None:
        """Wait for news of the room and have the page drawn, without end."""
        while True:
            room = self.visitor.data[self.view]["room"]
            news = await poll(self.visitor.address, room["channel"], self.part, room["version"])
            if news.get("gone") or news["version"] > self.visitor.data[self.view]["room"]["version"]:
                await self.act(self.view, "changed", version=room["version"])

    async def until(self, key: str, **values: object) -> float:
        """The time at which a component's data has these values."""
        while any(self.visitor.data.get(key, {}).get(name) != value for name, value in values.items()):
            await asyncio.sleep(0.005)
        return time.perf_counter()


async def poll(address: str, channel: str, part: str, after: int) -> dict[str, Any]:
    """One request for news."""
    where = urlsplit(address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    query = urlencode({"channel": channel, "part": part, "after": after})
    writer.write(
        f"GET /_classroom/updates?{query} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode()
    )
    try:
        answer = await reader.read()
    finally:
        writer.close()
    told: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return told


@dataclass
class Measured:
    """Results; times in seconds. `told`: answers that students were told are taken; `counted`: votes in the results."""

    students: int
    idle_cpu: float = 0.0  # seconds of processor time a second, of the idle room
    asked: list[float] = field(default_factory=list)  # from the teacher's click until a student sees the question
    answers: list[float] = field(default_factory=list)  # from a student's click until it is confirmed
    revealed: list[float] = field(default_factory=list)  # from the teacher's click until a student sees the result
    steps: list[float] = field(default_factory=list)  # of those who step beside
    told: int = 0
    counted: int = 0
    errors: list[str] = field(default_factory=list)


async def measure(students: int, rounds: int, idle: float) -> Measured:
    """Measure a room that is idle first, then plays rounds of a game."""
    measured = Measured(students)
    limits = {"ENGINE_SESSIONS": "0", "ENGINE_STEPS_PER_MINUTE": "0", "ENGINE_CLASSROOM_MEMBERS": str(students)}
    with started(**limits) as server:
        teacher = Member(Visitor(server.address, "classroom"), "all", "room_head")
        await teacher.visitor.open()
        await teacher.act("door", "open", named=True)
        code = teacher.visitor.data["room_head"]["code"]
        tasks = [asyncio.create_task(teacher.follow())]
        members = [Member(Visitor(server.address, "classroom"), "stage", "classroom_member") for _ in range(students)]
        for number, member in enumerate(members):
            await member.visitor.open()
            await member.act("door", "code", text=code)
            await member.act("door", "join", name=f"Student {number}")
            tasks.append(asyncio.create_task(member.follow()))
        await asyncio.sleep(2)
        measured.idle_cpu = await _idle(server.cpu, idle)
        stepping = [Visitor(server.address) for _ in range(STEPPING)]
        for visitor in stepping:
            await visitor.open()
        tasks += [asyncio.create_task(_step(visitor, measured)) for visitor in stepping]
        try:
            for number in range(1, rounds + 1):
                await _round(number, teacher, members, measured)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            measured.errors += [repr(each) for each in results if not isinstance(each, asyncio.CancelledError)]
            everybody = [teacher.visitor, *(member.visitor for member in members), *stepping]
            measured.errors += [error for visitor in everybody for error in visitor.errors]
            for visitor in everybody:
                with contextlib.suppress(Exception):
                    await visitor.close()
    return measured


async def _idle(cpu: Any, seconds: float) -> float:
    before = cpu()
    await asyncio.sleep(seconds)
    used: float = cpu() - before
    return used / seconds


async def _step(visitor: Visitor, measured: Measured) -> None:
    """Step once a second, without end."""
    while True:
        kind = "restart" if visitor.data["stage"]["ended"] else "next"
        measured.steps.append(await visitor.move(kind))
        await asyncio.sleep(1)


async def _round(number: int, teacher: Member, members: Sequence[Member], measured: Measured) -> None:
    since = time.perf_counter()
    asking = asyncio.create_task(teacher.act("classroom_round", "game", number=number - 1))
    seen = await asyncio.gather(*(each.until("classroom_member", number=number, stage="open") for each in members))
    measured.asked += [at - since for at in seen]
    await asking
    taken = await asyncio.gather(*(_answer(number, member, measured) for member in members))
    measured.told += sum(taken)
    since = time.perf_counter()
    revealing = asyncio.create_task(teacher.act("classroom_round", "reveal", number=number))
    seen = await asyncio.gather(*(each.until("classroom_member", number=number, stage="revealed") for each in members))
    measured.revealed += [at - since for at in seen]
    await revealing
    rows = teacher.visitor.data["classroom_round"]["rows"]
    measured.counted += sum(int(row["voted"].split()[0]) for row in rows if row["voted"] != "–")


async def _answer(number: int, member: Member, measured: Measured) -> bool:
    """Answer, and in half of all cases change the answer; whether the student was told that it is taken."""
    await asyncio.sleep(random.uniform(0, ANSWER_SECONDS))
    for _ in range(random.choice((1, 2))):
        if random.random() < 0.5:
            token = random.choice(member.visitor.data["classroom_member"]["options"])[0]
            measured.answers.append(await member.act("classroom_member", "pick", number=number, token=token))
        else:
            text = random.choice(WORDS)
            measured.answers.append(await member.act("classroom_member", "answer", number=number, text=text))
    return bool(member.visitor.data["classroom_member"]["answered"])


def percentile(times: Sequence[float], share: float) -> float:
    """Percentile by nearest rank."""
    return sorted(times)[max(0, math.ceil(share * len(times)) - 1)]


def _line(name: str, times: Sequence[float]) -> str:
    figures = [f"{percentile(times, share) * 1000:.0f} ms" for share in (0.5, 0.95, 1.0)]
    return f"  {name}: median {figures[0]}, 95 % within {figures[1]}, slowest {figures[2]} ({len(times)})"


def report(measured: Measured) -> str:
    """The results as text."""
    return "\n".join(
        (
            f"1 teacher and {measured.students} students in a room, {STEPPING} visitors who step:"
            f" {len(measured.errors)} errors",
            f"  answers: {measured.told} confirmed to students, {measured.counted} counted in the results",
            _line("question seen by a student", measured.asked),
            _line("answer confirmed", measured.answers),
            _line("result seen by a student", measured.revealed),
            _line("a step of the others", measured.steps),
            f"  idle room: {measured.idle_cpu:.1%} of one core",
            *measured.errors[:5],
        )
    )
