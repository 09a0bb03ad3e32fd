"""Rows of a next-token distribution, for bars: the most probable tokens, raw and filtered, and all others together.

Apart from the chart (`probability_bars.py`), because the first page needs no chart library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pages.components.text_width import text_width
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.sampling.distribution import Distribution

LABELS_WIDTH = 92  # of the chart, in pixels left of its bars


def rows(
    distribution: Distribution, count: int, chosen: int | None, branches: set[int], turn: int, t: Translator
) -> list[dict[str, Any]]:
    """Rows of the chart: one for each candidate, then one for all other tokens.

    count     number of most probable tokens
    chosen    the selected token, which has a row in any case; None for no selection
    branches  first tokens of the existing branches at this position, outlined in the chart
    turn      see `TextState.turn`; part of each row's `pick`
    """
    top = distribution.top(count, chosen)
    table: list[dict[str, Any]] = []
    for i, c in enumerate(top):
        state = "pick" if c.token_id == chosen else "cut" if not c.kept else "draw"
        reason = t(f"filter.{c.cut_by}") if c.cut_by else ""
        numbers = _percent(c.raw, t) if not c.kept else _change(c.raw, c.probability, t)
        table.append(
            {
                "at": i,
                "word": c.text,
                "wide": min(text_width(c.text), LABELS_WIDTH - 10),
                "raw": c.raw,
                "shown": c.probability,
                "state": state,
                "differs": state != "cut" and differ(c.raw, c.probability, t),
                "branch": c.token_id in branches,
                "value": f"{numbers}  ▶" if state == "pick" else f"{numbers}  {reason}",
                "token": f"#{c.token_id}",
                "rank": c.rank,
                "believed": f"{c.raw:.6%}",
                "drawn": f"{c.probability:.6%}",
                "reason": reason or t("bars.kept"),
                "pick": f"{turn}:{c.token_id}",
            }
        )
    table.append(_others(distribution, top, turn, t))
    full = max(float(row[bar]) for row in table for bar in ("raw", "shown"))
    return [row | {"full": full} for row in table]


def _others(distribution: Distribution, top: list[Any], turn: int, t: Translator) -> dict[str, Any]:
    raw, filtered = distribution.others([c.token_id for c in top])
    count = distribution.size - len(top)
    return {
        "at": len(top),
        "word": t("bars.others_word"),
        "wide": 0,
        "raw": raw,
        "shown": filtered,
        "state": "others",
        "differs": differ(raw, filtered, t),
        "branch": False,
        "value": _change(raw, filtered, t),
        "token": t("bars.others", count=f"{count:,}"),
        "rank": None,
        "believed": f"{raw:.6%}",
        "drawn": f"{filtered:.6%}",
        "reason": "",
        "pick": f"{turn}:",
    }


def differ(raw: float, probability: float, t: Translator) -> bool:
    """Whether the two probabilities differ as written; if not, the bar of the raw one would only repeat the other."""
    return _percent(raw, t) != _percent(probability, t)


def _change(raw: float, probability: float, t: Translator) -> str:
    """Both probabilities if they differ as written."""
    after = _percent(probability, t)
    return f"{_percent(raw, t)} → {after}" if differ(raw, probability, t) else after


def _percent(p: float, t: Translator) -> str:
    """A probability beside its bar: like `Translator.percent`, but a very small one without its exact value."""
    return t("number.below") if 0 < p < 0.0001 else t.percent(p)
