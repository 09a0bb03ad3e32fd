"""What the looking-inside page works out: sentences about heads, the lens, the small experiments.

Numbers come from `engine.heads` and `engine.lens`; here they become rows and sentences.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.interpret.heads import HeadDescription
    from engine.model.model import Model


def heads_told(model: Model, t: Translator) -> list[list[str]]:
    """A sentence for each head of each layer: what it was found to do on a fixed probe."""
    from engine.interpret import heads

    return [[describe(head, t) for head in layer] for layer in heads.describe(model)]


def scores(model: Model) -> list[list[list[float | None]]]:
    """All that was measured of each head of each layer on the probe: shares of attention in the order of the table's
    columns, and over how many tokens it spreads (e to the mean entropy)."""
    from engine.interpret import heads

    def of(head: HeadDescription) -> list[float | None]:
        shares = (head.previous, head.first, head.self, head.duplicate_token, head.induction)
        return [*(None if share is None else round(share, 5) for share in shares), round(math.exp(head.entropy), 2)]

    return [[of(head) for head in layer] for layer in heads.describe(model)]


def describe(found: HeadDescription, t: Translator) -> str:
    """What a head was found to do; says so where nothing stands out."""
    if found.kind is None:
        return t("inside.kind.none")
    kind = "same" if found.kind == "duplicate_token" else found.kind  # the locale key is older than the name
    return t(f"inside.kind.{kind}", score=t.percent(getattr(found, found.kind)))
