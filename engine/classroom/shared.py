"""The classroom of this process, created when it is first used: in memory, or in the host's file."""

from __future__ import annotations

import threading

from engine.classroom.classroom import Classroom
from engine.classroom.sqlite_store import MEMORY, SqliteStore
from engine.serving import config

_lock = threading.Lock()
_classrooms: dict[str, Classroom] = {}  # by the setting `classroom_file`


def classroom() -> Classroom:
    """The classroom of this process."""
    path = config.current().classroom_file or MEMORY
    with _lock:
        if path not in _classrooms:
            _classrooms[path] = Classroom(SqliteStore(path))
        return _classrooms[path]
