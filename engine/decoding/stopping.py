"""Stopping conditions of generation: end-of-text token, length limit, full context window, or a request to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.model.model import Model

StopReason = Literal["end", "length", "context", "person"]


def stop_reason(model: Model, ids: Sequence[int], new_tokens: int, max_new_tokens: int) -> StopReason | None:
    """The reason why generation stops after `ids`, whose last `new_tokens` tokens are generated; None to continue.

    `end` takes precedence over `context`, `context` over `length`. `person` is set by the callers.
    """
    if new_tokens and ids[-1] in model.end_ids:
        return "end"
    if len(ids) >= model.context_length:
        return "context"
    return "length" if new_tokens >= max_new_tokens else None
