"""Conversion of a part of the training documents to Simplified Chinese, by OpenCC (`tw2sp`: characters and phrases).

Which documents are converted depends on a hash of their text alone, independent of that of the validation split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from engine.training.errors import TrainingError

CONFIGURATION = "tw2sp"


@cache
def _converter() -> Any:
    try:
        from opencc import OpenCC
    except ImportError as error:
        raise TrainingError(
            "Simplified Chinese needs opencc: pip install -r requirements-training.txt, or --simplified 0."
        ) from error
    return OpenCC(CONFIGURATION)


def is_chosen(document: str, per_thousand: int) -> bool:
    """Whether a document is converted, with probability `per_thousand` / 1000 over documents."""
    digest = hashlib.sha256(document.encode("utf-8")).digest()
    return int.from_bytes(digest[8:16], "big") % 1000 < per_thousand  # the split uses the first 8 bytes


def convert(documents: Sequence[str], per_thousand: int) -> list[str]:
    """Documents in their order, the chosen ones in Simplified Chinese; text without Chinese stays as it is.

    Raises TrainingError without the package opencc, unless `per_thousand` is 0.
    """
    if not per_thousand:
        return list(documents)
    converter = _converter()
    return [converter.convert(d) if is_chosen(d, per_thousand) else d for d in documents]
