"""Attention head chosen on the attention page, for the pages that follow the same text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class AttentionChoice:
    """`head`: (layer, head), counted from 0; None for the mean of all heads."""

    head: tuple[int, int] | None = None
