"""Stopping conditions of generation: end-of-text token, length limit, full context window, or the person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.model.model import Model

StopReason = Literal["end", "length", "context", "person"]


def stop_reason(model: Model, ids: Sequence[int], made: int, max_new_tokens: int) -> StopReason | None:
    """Why nothing may follow `ids`, of which the last `made` tokens are new; None where something may."""
    if made and ids[-1] in model.end_ids:
        return "end"
    if len(ids) >= model.context_length:
        return "context"
    return "length" if made >= max_new_tokens else None
