"""What loading a model would take, told before anything is downloaded or allocated."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import constants

from engine.bundled import BUNDLED, BUNDLED_NAME
from engine.model import hub, hub_name, hub_sizes, memory
from engine.model.origin import Origin
from engine.model.safetensors_header import tensor_sizes


class Preview(NamedTuple):
    """Sizes in bytes, of the model and of this machine.

    origin           as `Model.origin` will be, without what only a GGUF file itself tells
    total_bytes      of the files that the model is loaded from
    download_bytes   of those that are not here yet
    weight_bytes     in memory; the least they can be for a GGUF file
    free_memory      None if unknown
    free_disk        where models are downloaded to
    """

    origin: Origin
    total_bytes: int
    download_bytes: int
    weight_bytes: int
    free_memory: int | None
    free_disk: int

    @property
    def fits(self) -> bool:
        """Whether memory and disk are enough."""
        enough = self.free_memory is None or self.weight_bytes + memory.RESERVE <= self.free_memory
        return enough and (not self.download_bytes or self.download_bytes + memory.RESERVE <= self.free_disk)


def preview(name: str, bytes_per_number: int = 4) -> Preview:
    """Preview of a model, with a few small requests if it is on the hub. Raises ModelError as `loading.load`."""
    if name == BUNDLED_NAME or hub_name.is_local(name):
        return _of_files(BUNDLED if name == BUNDLED_NAME else Path(name), Origin(), bytes_per_number)
    parsed = hub_name.parse(name)
    if constants.is_offline_mode():
        return _of_files(*hub.cached(name, parsed, "offline"), bytes_per_number)
    with hub.told_as_model_errors(name, parsed):
        remote = hub.find(name, parsed)
        weights = hub_sizes.memory_bytes(name, parsed.id, remote.origin.commit, remote.sizes, bytes_per_number)
    coming = sum(hub.lacking_files(parsed.id, remote).values())
    return _with_machine(remote.origin, sum(remote.sizes.values()), coming, weights)


def _of_files(path: Path, origin: Origin, bytes_per_number: int) -> Preview:
    """Preview of a folder, or of a GGUF file."""
    files = (
        [path] if path.is_file() else [path / name for name in hub.select(str(path), (p.name for p in path.iterdir()))]
    )
    total = sum(file.stat().st_size for file in files)
    numbers = 0 if path.is_file() else sum((tensor_sizes(path) or {}).values())
    gguf = sum(file.stat().st_size for file in files if file.suffix == ".gguf")
    return _with_machine(origin, total, 0, max(numbers * bytes_per_number, 2 * gguf))


def _with_machine(origin: Origin, total: int, coming: int, weights: int) -> Preview:
    cache = Path(constants.HF_HUB_CACHE).absolute()
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    return Preview(origin, total, coming, weights, memory.available_bytes(), shutil.disk_usage(there).free)
