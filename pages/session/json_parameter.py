"""JSON values as a URL parameter of bounded length. No Streamlit here."""

from __future__ import annotations

import json
from typing import Any

from engine.errors import TraceError
from engine.trace.link_codec import encode_text

MAX_CHARACTERS = 4_000


def encoded(*contents: Any) -> str | None:
    """The parameter of the first of `contents` that is short enough; None if none is."""
    for content in contents:
        try:
            code = encode_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), "")
        except TraceError:
            continue
        if len(code) <= MAX_CHARACTERS:
            return code
    return None
