"""Headers of safetensors files: what tensors they hold, read without their content."""

from __future__ import annotations

import json
import math
from pathlib import Path

_MOST_BYTES = 100 * 2**20  # of a header, as in the safetensors library


def tensor_sizes(folder: Path) -> dict[str, int] | None:
    """Numbers in each tensor of the weight files of a folder; None if a header cannot be read."""
    sizes: dict[str, int] = {}
    try:
        for path in folder.glob("*.safetensors"):
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                if length > min(_MOST_BYTES, path.stat().st_size):
                    return None
                header = json.loads(file.read(length))
            for name, entry in header.items():
                if name != "__metadata__":
                    sizes[name] = math.prod(entry["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return sizes
