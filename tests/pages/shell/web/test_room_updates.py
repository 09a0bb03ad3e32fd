"""Long poll of a classroom's versions: answers when something changes, for whom it concerns, without a thread each."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.classroom import shared
from engine.classroom.classroom import Classroom
from engine.classroom.records import Room
from engine.classroom.sqlite_store import SqliteStore
from pages.shell.web import room_updates
from pages.shell.web.room_updates import RoomUpdates

SOON = 0.5  # seconds within which a page is to learn of a change
ROOM = Room("K7M4P", "the channel", "", 1e12)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """The store of this process, in a file that others can write as well."""
    store = SqliteStore(str(tmp_path / "rooms"))
    store.add_room(ROOM, 9)
    monkeypatch.setattr(shared, "_classrooms", {":memory:": Classroom(store)})
    monkeypatch.setattr(room_updates, "_stopping", threading.Event())
    yield store
    store.close()


async def other_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "other app"})


async def ask(app: RoomUpdates, path: str = "/_classroom/updates", leave: float = 99.0, **query: object) -> Any:
    """The answer to a request of a client who leaves after so many seconds."""
    sent: list[Any] = []
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": []}
    scope["query_string"] = "&".join(f"{name}={value}" for name, value in query.items()).encode()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(leave)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return json.loads(sent[1]["body"]) if "body" in sent[-1] else sent[0]["type"]


def test_each_is_told_what_concerns_them_and_when(store: SqliteStore) -> None:
    async def run() -> None:
        app = RoomUpdates(other_app)
        channel = ROOM.channel.replace(" ", "+")
        assert await ask(app, channel=channel, after=0) == {"version": 1}, "the page is behind: at once"
        assert await ask(app, channel="another") == await ask(app) == {"gone": True}
        assert await ask(app, path="/classroom") == "other app"
        threads = threading.active_count()
        members = [asyncio.create_task(ask(app, channel=channel, part="stage", after=1)) for _ in range(60)]
        teacher = asyncio.create_task(ask(app, channel=channel, part="all", after=1))
        await asyncio.sleep(0.3)
        assert not teacher.done() and not any(each.done() for each in members)
        assert threading.active_count() == threads
        await asyncio.to_thread(store.add_member, ROOM.code, "", "", 9)
        start = time.monotonic()
        assert await teacher == {"version": 2}
        assert time.monotonic() - start < SOON
        await asyncio.sleep(0.3)
        assert not any(each.done() for each in members), "a new member is no news for members"
        another = SqliteStore(str(store._db.execute("PRAGMA database_list").fetchone()[2]))  # as another process would
        another.add_round(ROOM.code, {})
        start = time.monotonic()
        assert await asyncio.gather(*members) == [{"version": 3}] * 60
        assert time.monotonic() - start < SOON
        waiting = asyncio.create_task(ask(app, channel=channel, after=3))
        await asyncio.sleep(0.2)
        another.remove_room(ROOM.code)
        assert await asyncio.wait_for(waiting, SOON) == {"gone": True}
        another.close()

    asyncio.run(run())


def test_a_request_ends_with_its_client_its_time_or_its_server(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        app = RoomUpdates(other_app, base="/next/")
        query = {"path": "/next/_classroom/updates", "channel": ROOM.channel.replace(" ", "+"), "after": 1}
        start = time.monotonic()
        await ask(app, leave=0.1, **query)  # type: ignore[arg-type]
        assert time.monotonic() - start < SOON and not app._watcher._waiting
        monkeypatch.setattr(room_updates, "HOLD_SECONDS", 0.2)
        assert await ask(app, **query) == {"version": 1}  # type: ignore[arg-type]
        monkeypatch.setattr(room_updates, "HOLD_SECONDS", 60.0)
        waiting = [asyncio.create_task(ask(app, **query)) for _ in range(3)]  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        monkeypatch.setattr(room_updates, "MOST_WAITING", 3)
        assert await ask(app, **query) == {"version": 1}, "no further one waits"  # type: ignore[arg-type]
        room_updates.stop()
        assert await asyncio.wait_for(asyncio.gather(*waiting), SOON) == [{"version": 1}] * 3
        assert app._watcher._polling is not None
        await asyncio.wait_for(app._watcher._polling, SOON)

    asyncio.run(run())


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 99, "²"])
def test_nonsense_is_no_version(store: SqliteStore, after: str) -> None:
    channel = ROOM.channel.replace(" ", "+")
    assert asyncio.run(ask(RoomUpdates(other_app), channel=channel, after=after)) == {"version": 1}


def test_a_room_that_ends_by_itself_is_told(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_updates, "_ENDED_ROOMS_SECONDS", 0.2)
    store.add_room(Room("AAAAA", "short", "", time.time() + 0.1), 9)

    async def run() -> None:
        asked = ask(RoomUpdates(other_app), channel="short", after=1)
        assert await asyncio.wait_for(asked, 2) == {"gone": True}

    asyncio.run(run())


def test_a_host_without_rooms_has_none(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_CLASSROOMS", "0")
    channel = ROOM.channel.replace(" ", "+")
    assert asyncio.run(ask(RoomUpdates(other_app), channel=channel)) == {"gone": True}
