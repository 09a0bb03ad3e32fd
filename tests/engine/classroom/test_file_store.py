"""A file of rooms shared by processes: changes are seen, no answer is lost, not even those of a killed process."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.classroom import shared
from engine.classroom.records import Answer
from engine.classroom.sqlite_store import SqliteStore
from engine.serving import config
from tests.engine.classroom.conftest import room

CODE = "K7M4P"
ROOT = Path(__file__).parents[3]
# Answers as the members from FIRST on, again and again, and prints the last number that was taken for all of them.
ANSWER = """
import sys
from engine.classroom import shared
from engine.classroom.records import Answer
from engine.classroom.sqlite_store import SqliteStore
store = SqliteStore(sys.argv[1])
first, times = int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
n = 0
while n != times:
    for member in range(first, first + 5):
        assert store.put_answer("K7M4P", 1, Answer(member, str(n), (1,), str(n)))
    print(n, flush=True)
    n += 1
"""


def answering(path: Path, first: int, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ANSWER, str(path), str(first), str(times)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def opened(path: Path) -> SqliteStore:
    store = SqliteStore(str(path))
    store.add_room(room(), 1)
    for n in range(10):
        store.add_member(CODE, "", str(n), 10)
    store.add_round(CODE, {})
    return store


def test_two_processes_write_into_one_room(tmp_path: Path) -> None:
    store = opened(tmp_path / "rooms")
    processes = [answering(tmp_path / "rooms", first, 60) for first in (1, 6)]
    before, seen = store.mark(), 0
    while any(process.poll() is None for process in processes):
        seen += store.mark() != before
        before = store.mark()
        time.sleep(0.002)
    assert [process.wait() for process in processes] == [0, 0]
    assert seen > 2, "changes of another process are seen"
    assert [each.typed for each in store.answers(CODE, 1)] == ["59"] * 10
    assert store.versions([room().channel])[room().channel].all == 1 + 10 + 1 + 10 * 60
    store.close()


def test_a_process_that_is_killed_loses_no_answer(tmp_path: Path) -> None:
    opened(tmp_path / "rooms").close()
    process = answering(tmp_path / "rooms", 1, -1)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(30)]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    lines += process.stdout.read().splitlines()
    told = max(int(line) for line in lines[1:] if line.strip().isdecimal())
    assert process.returncode == -signal.SIGKILL and told >= 28
    store = SqliteStore(str(tmp_path / "rooms"))
    found = [int(each.typed) for each in store.answers(CODE, 1)]
    assert len(found) == 5 and all(told <= n <= told + 1 for n in found)
    last = store.last_round(CODE)
    assert last is not None and last.state == "open"
    assert store.put_answer(CODE, 1, Answer(9, "on", (1,), "on")), "the round goes on"
    store.close()


def test_a_file_that_cannot_be_used_is_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_classrooms", {})
    monkeypatch.setenv("ENGINE_CLASSROOM_FILE", str(tmp_path / "no folder" / "rooms"))
    with pytest.raises(config.ConfigError, match="cannot be used"):
        shared.open_file()
    (tmp_path / "text").write_text("this is no database, however long it may be " * 99)
    monkeypatch.setenv("ENGINE_CLASSROOM_FILE", str(tmp_path / "text"))
    with pytest.raises(config.ConfigError, match="cannot be used"):
        shared.open_file()


def test_rooms_that_ended_while_no_server_ran_go_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rooms"
    store = opened(path)
    store.add_room(room("AAAAA", ends=1.0), 9)
    store.add_member("AAAAA", "a very personal name", "", 9)
    monkeypatch.setattr(shared, "_classrooms", {})
    monkeypatch.setattr(shared, "_cleaning", [threading.current_thread()])  # no thread is started
    monkeypatch.setenv("ENGINE_CLASSROOM_FILE", str(path))
    shared.open_file()
    assert store.room("AAAAA") is None and store.room(CODE) is not None
    shared.classroom().store.close()  # type: ignore[attr-defined]
    store.close()  # the last connection writes everything into the file
    assert b"a very personal name" not in path.read_bytes()


def test_a_file_of_another_version_is_emptied_and_used(tmp_path: Path) -> None:
    path = str(tmp_path / "rooms")
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(
            "CREATE TABLE rooms (code TEXT); INSERT INTO rooms VALUES ('AAAAA'); PRAGMA user_version = 1;"
        )
    store = SqliteStore(path)
    assert store.room(CODE) is None and store.add_room(room(), 1) == "added"
    store.close()
    again = SqliteStore(path)
    assert again.room(CODE) == room()
    again.close()
