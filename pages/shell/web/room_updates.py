"""Long poll for the versions of a classroom: an answer comes when something in the room has changed.

A page asks `GET _classroom/updates?channel=…&part=all|stage&after=N`, and gets `{"version": M}` as soon as M > N, the
same N after HOLD_SECONDS, and `{"gone": true}` where there is no such room. It then draws itself anew, so that an idle
room costs no run of a page and no thread: a waiting request is a coroutine. One task for all rooms compares the
store's mark every POLL_SECONDS, which sees changes of this process and of others that share its file alike.
A version tells nothing else of a room, and a channel is as hard to guess as a secret.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.classroom.records import Versions
from engine.classroom.shared import classroom
from engine.classroom.store import Store
from engine.serving import config

PATH = "_classroom/updates"
HOLD_SECONDS = 25.0  # proxies end a silent request after 30 s or more
POLL_SECONDS = 0.15
MOST_WAITING = 1_000  # requests of all rooms; further ones are answered at once, and their pages ask again
_ENDED_ROOMS_SECONDS = 10.0
Part = Literal["all", "stage"]


_stopping = threading.Event()


def stop() -> None:
    """Answer all requests: the server is to stop, which it does only once none is open."""
    _stopping.set()


@dataclass(eq=False, slots=True)
class _Waiting:
    """One request that waits for a version above `after`; `found` gets the versions, None for a room that is gone."""

    channel: str
    part: Part
    after: int
    found: asyncio.Future[Versions | None]


class Watcher:
    """Requests that wait for changes in a store; used by one event loop."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._waiting: set[_Waiting] = set()
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, channel: str, part: Part, after: int, gone: asyncio.Future[Any]) -> Versions | None:
        """Versions of a room once that of `part` is above `after`, HOLD_SECONDS are over, or the client is `gone`."""
        versions = self._store().versions([channel]).get(channel)
        if versions is None or getattr(versions, part) > after or self._is_full():
            return versions
        waiting = _Waiting(channel, part, after, asyncio.get_running_loop().create_future())
        self._waiting.add(waiting)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            await asyncio.wait({waiting.found, gone}, timeout=HOLD_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return waiting.found.result() if waiting.found.done() else versions
        finally:
            self._waiting.discard(waiting)

    def _is_full(self) -> bool:
        return len(self._waiting) >= MOST_WAITING or _stopping.is_set()

    async def _poll(self) -> None:
        """Answer requests until none is waiting."""
        seen: object = None
        ended_at = 0.0
        while self._waiting:
            store = self._store()
            if time.monotonic() - ended_at > _ENDED_ROOMS_SECONDS:
                ended_at = time.monotonic()
                store.remove_ended(time.time())
            mark = store.mark()
            if mark != seen or _stopping.is_set():
                seen = mark
                self._answer(store)
            await asyncio.sleep(POLL_SECONDS)

    def _answer(self, store: Store) -> None:
        versions = store.versions({waiting.channel for waiting in self._waiting})
        for waiting in self._waiting:
            now = versions.get(waiting.channel)
            newer = now is None or getattr(now, waiting.part) > waiting.after
            if not waiting.found.done() and (newer or _stopping.is_set()):
                waiting.found.set_result(now)


class RoomUpdates:
    """ASGI middleware that answers requests for PATH, and passes all others on."""

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app = app
        self._path = f"/{base.strip('/')}/{PATH}" if base.strip("/") else f"/{PATH}"
        self._watcher = Watcher(lambda: classroom().store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path:
            await self.app(scope, receive, send)
            return
        found, part = None, "all"
        if scope["method"] == "GET" and config.current().classrooms:
            query = parse_qs(scope["query_string"].decode("latin-1"))
            channel, part = query.get("channel", [""])[0][:100], query.get("part", ["all"])[0]
            after = query.get("after", ["0"])[0]
            number = int(after) if after.isascii() and after.isdecimal() and len(after) < 16 else 0
            gone = asyncio.ensure_future(_disconnected(receive))
            try:
                part = "stage" if part == "stage" else "all"
                found = await self._watcher.wait(channel, part, number, gone)  # type: ignore[arg-type]
            finally:
                gone.cancel()
        body = {"gone": True} if found is None else {"version": getattr(found, part)}
        await JSONResponse(body, headers={"Cache-Control": "no-store"})(scope, receive, send)


async def _disconnected(receive: Receive) -> None:
    """End when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
