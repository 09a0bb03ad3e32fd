"""Expected errors of the training commands, reported as one line with exit code 2.

All other exceptions are bugs and keep their traceback.
"""

from __future__ import annotations

import shutil
from pathlib import Path


class TrainingError(Exception):
    """An error that the user can correct; the message states how."""


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raise TrainingError if less than `needed_bytes` of disk space is free for `folder`, which need not exist yet.

    >>> require_space(Path("."), 1)
    """
    existing = folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise TrainingError(
            f"{folder} needs about {needed_bytes / 1e6:,.0f} MB but only {free / 1e6:,.0f} MB of disk are free."
        )
