"""Store of rooms in SQLite: in the memory of this process, or in a file that several processes on a machine share.

Threads share connections, one at a time: an operation takes some 50 µs, and the threads of a web server come and go. A
file is in WAL mode, and has a connection for reading besides, so that who reads never waits for another process that
writes. What is committed survives the end of the process, however it ends. `synchronous=NORMAL` gives up only the last
moments before the machine itself loses power.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from engine.classroom.records import Answer, Member, Room, Round, Versions, Work
from engine.classroom.store import Refusal

MEMORY = ":memory:"
_WAIT_SECONDS = 10.0  # for another process that writes
_FORMAT = 2  # of the tables; a file with another one is emptied: rooms last for hours, not from version to version
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (
    code TEXT PRIMARY KEY, channel TEXT UNIQUE NOT NULL, secret TEXT NOT NULL, ends REAL NOT NULL,
    named INTEGER NOT NULL, joinable INTEGER NOT NULL, words TEXT NOT NULL, text TEXT NOT NULL,
    text_after INTEGER NOT NULL DEFAULT 0, page TEXT NOT NULL, handed TEXT NOT NULL,
    arrived INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1, stage INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS members (
    code TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, number INTEGER NOT NULL,
    name TEXT NOT NULL, folded TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (code, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rounds (
    code TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, number INTEGER NOT NULL,
    state TEXT NOT NULL, question TEXT NOT NULL, result TEXT, PRIMARY KEY (code, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    code TEXT NOT NULL, round INTEGER NOT NULL, member INTEGER NOT NULL,
    typed TEXT NOT NULL, tokens TEXT NOT NULL, text TEXT NOT NULL, options INTEGER NOT NULL,
    PRIMARY KEY (code, round, member),
    FOREIGN KEY (code, round) REFERENCES rounds ON DELETE CASCADE,
    FOREIGN KEY (code, member) REFERENCES members ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS works (
    code TEXT NOT NULL, topic TEXT NOT NULL, member INTEGER NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (code, topic, member), FOREIGN KEY (code, member) REFERENCES members ON DELETE CASCADE
) WITHOUT ROWID;
"""
_TABLES = ("works", "answers", "rounds", "members", "rooms")  # those that refer to others first


def _connection(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)


class SqliteStore:
    """A `Store`; `path` is a file, or MEMORY."""

    def __init__(self, path: str = MEMORY) -> None:
        self._lock = threading.Lock()
        self._writes = 0
        self._db = _connection(path)
        if path != MEMORY:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.execute("PRAGMA secure_delete=ON")  # what is removed is overwritten
        self._make_tables()
        # A database in memory belongs to one connection.
        self._reader, self._reading = (
            (self._db, self._lock) if path == MEMORY else (_connection(path), threading.Lock())
        )

    def _make_tables(self) -> None:
        with self._writing() as db:
            if db.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                for table in _TABLES:
                    db.execute(f"DROP TABLE IF EXISTS {table}")
                db.execute(f"PRAGMA user_version = {_FORMAT}")
            for statement in _SCHEMA.split(";"):
                db.execute(statement)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._db.close()
        with self._reading:
            self._reader.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes in; undone if it raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            self._writes += 1

    def _read(self, statement: str, *values: object) -> list[Any]:
        with self._reading:
            return self._reader.execute(statement, values).fetchall()

    @staticmethod
    def _raise_version(db: sqlite3.Connection, code: str, stage: bool) -> None:
        db.execute("UPDATE rooms SET version = version + 1 WHERE code = ?", (code,))
        if stage:
            db.execute("UPDATE rooms SET stage = version WHERE code = ?", (code,))

    def add_room(self, room: Room, most: int) -> Literal["added", "taken", "full"]:
        with self._writing() as db:
            if db.execute("SELECT count(*) FROM rooms").fetchone()[0] >= most:
                return "full"
            values = (room.code, room.channel, room.secret, room.ends, room.named, room.joinable)
            added = db.execute(
                "INSERT OR IGNORE INTO rooms"
                " (code, channel, secret, ends, named, joinable, words, text, page, handed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, json.dumps(room.words), room.text, room.page, json.dumps(room.handed)),
            ).rowcount
            return "added" if added else "taken"

    def room(self, code: str) -> Room | None:
        names = "channel, secret, ends, named, joinable, words, text, text_after, page, handed"
        for channel, secret, ends, named, joinable, words, text, after, page, handed in self._read(
            f"SELECT {names} FROM rooms WHERE code = ?", code
        ):
            own, given = tuple(json.loads(words)), tuple((title, link) for title, link in json.loads(handed))
            return Room(code, channel, secret, ends, bool(named), bool(joinable), own, text, after, page, given)
        return None

    def change_room(
        self, code: str, *, joinable: bool | None = None, words: tuple[str, ...] | None = None,
        text: str | None = None, page: str | None = None, handed: tuple[tuple[str, str], ...] | None = None,
    ) -> None:  # fmt: skip
        with self._writing() as db:
            if joinable is not None:
                db.execute("UPDATE rooms SET joinable = ? WHERE code = ?", (joinable, code))
            if words is not None:
                db.execute("UPDATE rooms SET words = ? WHERE code = ?", (json.dumps(words), code))
            if text is not None:
                revealed = "SELECT coalesce(max(number), 0) FROM rounds WHERE code = ? AND state = 'revealed'"
                db.execute(f"UPDATE rooms SET text = ?, text_after = ({revealed}) WHERE code = ?", (text, code, code))
            if page is not None:
                db.execute("UPDATE rooms SET page = ? WHERE code = ?", (page, code))
            if handed is not None:
                db.execute("UPDATE rooms SET handed = ? WHERE code = ?", (json.dumps(handed), code))
            self._raise_version(db, code, stage=any(value is not None for value in (text, page, handed)))

    def remove_room(self, code: str) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM rooms WHERE code = ?", (code,))

    def remove_ended(self, now: float) -> int:
        if not self._read("SELECT 1 FROM rooms WHERE ends <= ? LIMIT 1", now):
            return 0
        with self._writing() as db:
            return db.execute("DELETE FROM rooms WHERE ends <= ?", (now,)).rowcount

    def add_member(self, code: str, name: str, key: str, most: int) -> Member | Refusal:
        folded = name.casefold()
        with self._writing() as db:
            room = db.execute("SELECT joinable, arrived FROM rooms WHERE code = ?", (code,)).fetchone()
            if room is None:
                return "none"
            if not room[0]:
                return "locked"
            if db.execute("SELECT count(*) FROM members WHERE code = ?", (code,)).fetchone()[0] >= most:
                return "full"
            same = db.execute("SELECT 1 FROM members WHERE code = ? AND folded = ?", (code, folded)).fetchone()
            if folded and same:
                return "taken"
            number = room[1] + 1
            db.execute("INSERT INTO members VALUES (?, ?, ?, ?, ?)", (code, number, name, folded, key))
            db.execute("UPDATE rooms SET arrived = ? WHERE code = ?", (number, code))
            self._raise_version(db, code, stage=False)
            return Member(number, name, key)

    def members(self, code: str) -> list[Member]:
        rows = self._read("SELECT number, name, key FROM members WHERE code = ? ORDER BY number", code)
        return [Member(*row) for row in rows]

    def remove_member(self, code: str, number: int) -> None:
        with self._writing() as db:
            if db.execute("DELETE FROM members WHERE code = ? AND number = ?", (code, number)).rowcount:
                self._raise_version(db, code, stage=True)

    def add_round(self, code: str, question: dict[str, Any]) -> Round | None:
        with self._writing() as db:
            if db.execute("SELECT 1 FROM rooms WHERE code = ?", (code,)).fetchone() is None:
                return None
            number, running = db.execute(
                "SELECT coalesce(max(number), 0), coalesce(sum(state != 'revealed'), 0) FROM rounds WHERE code = ?",
                (code,),
            ).fetchone()
            if running:
                return None
            db.execute(
                "INSERT INTO rounds (code, number, state, question) VALUES (?, ?, 'open', ?)",
                (code, number + 1, json.dumps(question)),
            )
            self._raise_version(db, code, stage=True)
            return Round(number + 1, "open", question)

    def rounds(self, code: str) -> list[Round]:
        return self._rounds("WHERE code = ? ORDER BY number", code)

    def last_round(self, code: str) -> Round | None:
        return next(iter(self._rounds("WHERE code = ? ORDER BY number DESC LIMIT 1", code)), None)

    def _rounds(self, which: str, code: str) -> list[Round]:
        rows = self._read(f"SELECT number, state, question, result FROM rounds {which}", code)
        return [Round(n, state, json.loads(asked), json.loads(result or "null")) for n, state, asked, result in rows]

    def close_round(self, code: str, number: int) -> bool:
        return self._change_round(code, number, "open", "closed", None)

    def reveal_round(self, code: str, number: int, result: dict[str, Any]) -> bool:
        return self._change_round(code, number, "closed", "revealed", json.dumps(result))

    def _change_round(self, code: str, number: int, before: str, after: str, result: str | None) -> bool:
        with self._writing() as db:
            changed = db.execute(
                "UPDATE rounds SET state = ?, result = ? WHERE code = ? AND number = ? AND state = ?",
                (after, result, code, number, before),
            ).rowcount
            if changed:
                self._raise_version(db, code, stage=True)
            return bool(changed)

    def remove_round(self, code: str, number: int) -> None:
        with self._writing() as db:
            if db.execute("DELETE FROM rounds WHERE code = ? AND number = ?", (code, number)).rowcount:
                self._raise_version(db, code, stage=True)

    def put_answer(self, code: str, number: int, answer: Answer) -> bool:
        with self._writing() as db:
            taken = db.execute(
                "INSERT OR REPLACE INTO answers SELECT r.code, r.number, m.number, ?, ?, ?, ?"
                " FROM rounds r JOIN members m ON m.code = r.code"
                " WHERE r.code = ? AND r.number = ? AND r.state = 'open' AND m.number = ?",
                (answer.typed, json.dumps(answer.tokens), answer.text, answer.options, code, number, answer.member),
            ).rowcount
            if taken:
                self._raise_version(db, code, stage=False)
            return bool(taken)

    def answers(self, code: str, number: int) -> list[Answer]:
        rows = self._read(
            "SELECT member, typed, tokens, text, options FROM answers WHERE code = ? AND round = ? ORDER BY member",
            code, number,
        )  # fmt: skip
        return [Answer(member, typed, tuple(json.loads(tokens)), text, n) for member, typed, tokens, text, n in rows]

    def put_work(self, code: str, work: Work) -> bool:
        with self._writing() as db:
            known = db.execute("SELECT 1 FROM members WHERE code = ? AND number = ?", (code, work.member)).fetchone()
            if known:
                values = (code, work.topic, work.member, json.dumps(work.values))
                db.execute("INSERT OR REPLACE INTO works VALUES (?, ?, ?, ?)", values)
                self._raise_version(db, code, stage=False)
            return known is not None

    def works(self, code: str) -> list[Work]:
        rows = self._read("SELECT member, topic, data FROM works WHERE code = ? ORDER BY topic, member", code)
        return [Work(member, topic, json.loads(data)) for member, topic, data in rows]

    def versions(self, channels: Collection[str]) -> dict[str, Versions]:
        places = ", ".join("?" * len(channels))
        rows = self._read(f"SELECT channel, version, stage FROM rooms WHERE channel IN ({places})", *channels)
        return {channel: Versions(version, stage) for channel, version, stage in rows}

    def mark(self) -> object:
        return self._writes, self._read("PRAGMA data_version")[0][0]
