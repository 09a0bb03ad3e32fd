"""TODO"""

from __future__ import annotations

import math
import re

from pages.i18n.translator import Translator


def bits(value: float, t: Translator, digits: int = 1) -> str:
    """A number of bits, or of what 2 to its power is."""
    return "∞" if math.isinf(value) else t.number(value, digits)


def plain(text: str) -> str:
    """Text as it stands, spaces and line ends kept; what cannot be seen becomes a mark."""
    from engine.tokenization.unicode import readable

    parts = re.split(r"([ \n\u3000]+)", text)
    return "".join(part if at % 2 else readable(part) for at, part in enumerate(parts) if part)
