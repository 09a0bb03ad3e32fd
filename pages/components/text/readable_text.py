"""Display text of a passage."""

from __future__ import annotations

import re


def readable_text(text: str) -> str:
    """Text with its spaces and line breaks unchanged and its other invisible characters replaced by visible marks."""
    from engine.tokenization.unicode import readable

    segments = re.split(r"([ \n\u3000]+)", text)
    return "".join(segment if i % 2 else readable(segment) for i, segment in enumerate(segments) if segment)
