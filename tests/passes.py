"""Forward passes, counted at the `transformers` model itself, whatever the engine calls it for.

The head alone, which computes logits of stored states again, is called in a copy of the model, and is no pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.model.model import Model


@contextmanager
def counted_passes(model: Model) -> Iterator[list[int]]:
    """A list with one entry for each forward pass: its number of tokens, over all texts of a batch."""
    passes: list[int] = []

    whole = model.prefix_cache.forward.model

    def record(called: object, _: object, arguments: dict[str, Any]) -> None:
        if called is whole:
            passes.append(arguments["input_ids"].numel())

    handle = whole.register_forward_pre_hook(record, with_kwargs=True)
    try:
        yield passes
    finally:
        handle.remove()
