"""Facts about a model from its files on this machine, without loading it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from engine.errors import ModelError
from engine.model import config_checks, hub, hub_name
from engine.model.safetensors_header import tensor_sizes


class FileFacts(NamedTuple):
    """What the files of a model say of it; 0 for what they do not.

    parameters  numbers in the weight files
    heads       attention heads of a layer
    vocabulary  number of tokens that the model predicts
    context     maximum number of tokens of a text
    nbytes      size of the weight files
    """

    parameters: int = 0
    layers: int = 0
    heads: int = 0
    vocabulary: int = 0
    context: int = 0
    nbytes: int = 0


def file_facts(name: str) -> FileFacts | None:
    """Facts about a folder, a GGUF file or a downloaded hub model; None if it is not there or cannot be read."""
    try:
        path = Path(name) if hub_name.is_local(name) else hub.cached(name, hub_name.parse(name), "missing")[0]
        newest = max((file.stat().st_mtime for file in ([path] if path.is_file() else path.iterdir())), default=0.0)
        return _read(path, newest)
    except (ModelError, OSError):
        return None


@lru_cache(maxsize=64)
def _read(path: Path, newest: float) -> FileFacts:
    """Facts of a file or folder whose newest file is of the time `newest`. Raises ModelError, OSError."""
    if path.is_file():
        return FileFacts(nbytes=path.stat().st_size)
    weights = [*path.glob("*.safetensors")] or [*path.glob("*.gguf")]
    nbytes = sum(file.stat().st_size for file in weights)
    if not (path / "config.json").is_file():
        return FileFacts(nbytes=nbytes)
    tensors = tensor_sizes(path)
    config, _ = config_checks.read(path, path.name, tensors)
    text = config.get_text_config(decoder=True)
    layers, heads, vocabulary, context = (
        int(getattr(text, key, None) or 0)
        for key in ("num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings")
    )
    return FileFacts(sum((tensors or {}).values()), layers, heads, vocabulary, context, nbytes)
