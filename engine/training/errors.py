"""The one exception that the commands turn into a sentence and exit code 2.

It does not cover bugs: anything else still shows its traceback.
"""

from __future__ import annotations

import shutil
from pathlib import Path


class TrainingError(Exception):
    """Something the person at the keyboard can put right; the message says what."""


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse before writing when the disk cannot hold what is about to be written.

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
