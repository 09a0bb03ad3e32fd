"""Cache folder of this app, for what it makes of downloaded files: `next-token/` in `HF_ASSETS_CACHE` (`HF_HOME`)."""

from __future__ import annotations

import uuid
from pathlib import Path

from huggingface_hub import constants


def own_folder(kind: str) -> Path:
    """Folder for one kind of files; it need not exist."""
    return Path(constants.HF_ASSETS_CACHE) / "next-token" / kind


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that other processes see whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}.unfinished")
    unfinished.write_bytes(data)
    unfinished.replace(path)
