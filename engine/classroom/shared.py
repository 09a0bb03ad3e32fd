"""The classroom of this process, created when it is first used: in memory, or in the host's file.

A thread removes rooms that have ended, whether anybody looks at them or not.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress

from engine.classroom.classroom import Classroom
from engine.classroom.sqlite_store import MEMORY, SqliteStore
from engine.serving import config

CLEAN_SECONDS = 60.0
_lock = threading.Lock()
_classrooms: dict[str, Classroom] = {}  # by the setting `classroom_file`
_cleaning: list[threading.Thread] = []


def classroom() -> Classroom:
    """The classroom of this process. Raises ConfigError for a file that cannot be used."""
    path = config.current().classroom_file or MEMORY
    with _lock:
        if path not in _classrooms:
            try:
                _classrooms[path] = Classroom(SqliteStore(path))
            except sqlite3.Error as error:
                raise config.ConfigError("classroom_file", path, f"cannot be used: {error}") from None
            if not _cleaning:
                _cleaning.append(threading.Thread(target=_remove_ended, name="ended rooms", daemon=True))
                _cleaning[0].start()
        return _classrooms[path]


def open_file() -> None:
    """Open the host's file, if there is one, so that what cannot be used is told at the start, and old rooms go."""
    limits = config.current()
    if limits.classrooms and limits.classroom_file:
        classroom().store.remove_ended(time.time())


def _remove_ended() -> None:
    while True:
        time.sleep(CLEAN_SECONDS)
        for school in list(_classrooms.values()):
            with suppress(sqlite3.Error):  # the file is busy or gone: the next round tries again
                school.store.remove_ended(time.time())
