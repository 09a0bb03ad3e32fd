"""Free memory and disk of this machine, compared with what a model needs before anything is downloaded or allocated."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from engine.errors import ModelError

BYTES_PER_NUMBER = {"float32": 4, "bfloat16": 2, "auto": 4 + 2}  # both are in memory while they are compared
RESERVE = 256 * 2**20  # bytes left to everything else, of memory and of the disk
_CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int | None:
    """Memory that this process can still take: the system's, or its container's if that is less. None if unknown."""
    found = [number for number in (_system_bytes(), _container_bytes()) if number is not None]
    return min(found, default=None)


def _system_bytes() -> int | None:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:  # of systems without /proc only the size of the memory is known
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _container_bytes() -> int | None:
    """Memory left of the limit of a container (cgroup v2); files that the system has cached count as free."""
    try:
        limit = (_CGROUP / "memory.max").read_text("ascii").strip()
        used = int((_CGROUP / "memory.current").read_text("ascii"))
        statistics = dict(line.split() for line in (_CGROUP / "memory.stat").read_text("ascii").splitlines())
        return None if limit == "max" else max(0, int(limit) - used + int(statistics.get("inactive_file", 0)))
    except (OSError, ValueError):
        return None


def check_memory(name: str, needed: int) -> None:
    """Raise ModelError(`too_large_memory`) if `needed` bytes do not fit into the free memory."""
    free = available_bytes()
    if free is not None and needed + RESERVE > free:
        raise _error("too_large_memory", name, needed, free)


def check_disk(name: str, needed: int, folder: Path) -> None:
    """Raise ModelError(`too_large_disk`) if `needed` bytes do not fit on the disk of a folder, which need not exist."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed and needed + RESERVE > free:
        raise _error("too_large_disk", name, needed, free)


def _error(code: str, name: str, needed: int, free: int) -> ModelError:
    message = f"{name} needs {size_text(needed)}, {size_text(free)} are free"
    return ModelError(code, message, name=name, needs=size_text(needed), free=size_text(free))


def size_text(count: int) -> str:
    """Size as a person reads it, with decimal prefixes: `548 MB`, `2.5 GB`.

    >>> size_text(50_600_000), size_text(2_520_000_000)
    ('51 MB', '2.5 GB')
    """
    for unit, name in ((10**12, "TB"), (10**9, "GB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{max(1, round(count / 10**6)) if count else 0} MB"
