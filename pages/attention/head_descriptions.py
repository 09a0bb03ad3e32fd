"""Attention heads in words: a sentence and the measured scores of each head, from `engine.interpret.heads`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.interpret.heads import HeadDescription
    from engine.model.model import Model


def head_sentences(model: Model, t: Translator) -> list[list[str]]:
    """A sentence on the kind of each head, [layer][head]. Raises EngineError as `heads.describe`."""
    from engine.interpret import heads

    return [[describe(head, t) for head in layer] for layer in heads.describe(model)]


def scores(model: Model) -> list[list[list[float | None]]]:
    """Scores of each head on the probe, [layer][head], in the order of the table's columns.

    First the shares of attention (previous, first, self, duplicate token, induction), then the number of tokens over
    which attention spreads: e to the mean entropy. Raises EngineError as `heads.describe`.
    """
    from engine.interpret import heads

    def head_scores(head: HeadDescription) -> list[float | None]:
        shares = (head.previous, head.first, head.self, head.duplicate_token, head.induction)
        return [*(None if share is None else round(share, 5) for share in shares), round(math.exp(head.entropy), 2)]

    return [[head_scores(head) for head in layer] for layer in heads.describe(model)]


def describe(head: HeadDescription, t: Translator) -> str:
    """A sentence on the kind of a head and its score; another one for a head without a kind."""
    if head.kind is None:
        return t("inside.kind.none")
    kind = "same" if head.kind == "duplicate_token" else head.kind  # the locale key is older than the name
    return t(f"inside.kind.{kind}", score=t.percent(getattr(head, head.kind)))
