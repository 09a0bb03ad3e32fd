"""Headers of safetensors files: what tensors they hold, read without their content."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path

_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_MOST_BYTES = 100 * 2**20  # of a header, as in the safetensors library


def weight_files(names: Iterable[str]) -> list[str]:
    """Names of the files that `transformers` loads a model from, of all names of a folder: no weights twice."""
    found = sorted(name for name in names if name.endswith(".safetensors"))
    if "model.safetensors" in found:
        return ["model.safetensors"]
    return [name for name in found if _SHARD.fullmatch(name)] or found


def tensor_sizes(folder: Path) -> dict[str, int] | None:
    """Numbers in each tensor of the weight files of a folder; None if a header cannot be read."""
    sizes: dict[str, int] = {}
    try:
        for path in (folder / name for name in weight_files(path.name for path in folder.iterdir())):
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
