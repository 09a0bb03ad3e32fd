"""Stores that the tests of the interface hold to the same: another store is added to STORES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.classroom.records import Room
from engine.classroom.sqlite_store import MEMORY, SqliteStore
from engine.classroom.store import Store

STORES: dict[str, Callable[[Path], SqliteStore]] = {
    "memory": lambda folder: SqliteStore(MEMORY),
    "file": lambda folder: SqliteStore(str(folder / "rooms.sqlite")),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def room(code: str = "K7M4P", ends: float = 1e12, **more: object) -> Room:
    return Room(code, f"channel of {code}", f"hash of {code}", ends, **more)  # type: ignore[arg-type]
