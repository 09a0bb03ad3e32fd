"""Width of a text as it is drawn."""

from __future__ import annotations


def text_width(text: str, em: float = 16) -> float:
    """Width of a text in a monospaced font of `em` pixels: 1 em for a wide character (CJK), 0.5 em for others."""
    return sum(em if ord(char) > 0x2E7F else em / 2 for char in text)
