"""Calculation of one distribution: logit → ÷ temperature → filters → probability, and the interval of the draw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.sampling.distribution import Distribution

_CURVE_POINTS = 160  # enough for the width of the curve in pixels

_component = register("sums", Path(__file__), "collapsible_table")


def data(
    distribution: Distribution, chosen: int | None, u: float | None, seed: int, count: int, t: Translator
) -> dict[str, Any]:
    """Data of the component.

    rows             [state, token, logit, scaled, outcome of the filters, probability] of the `count` most probable
                     tokens, and of `chosen`; state: "pick", "cut" or ""
    believed, drawn  cumulative probability before and after the filters: [rank, probability] at logarithmically spaced
                     ranks
    size             vocabulary size
    cut              largest rank among the tokens that pass the filters
    u, rank, word    the uniform random number, None for a greedy choice; rank and text of the chosen token
    """
    top = distribution.top(count, chosen)
    ranks = _curve_ranks(distribution.known)
    raw, filtered = distribution.raw_cumulative, distribution.cumulative
    rank, interval, text = 1, (0.0, 0.0), ""
    if chosen is not None:
        candidate = distribution.candidate(chosen)
        rank, text, interval = candidate.rank, candidate.text, distribution.interval(chosen)
    return {
        "columns": [t("sums.token"), "logit", t("sums.scaled", t=f"{distribution.settings.temperature:g}"),
                    t("sums.filter"), t("sums.probability")],
        "rows": [
            ["pick" if c.token_id == chosen else "cut" if not c.kept else "", c.text, t.number(c.logit, 2),
             t.number(c.scaled, 2), t(f"filter.{c.cut_by}") if c.cut_by else t("sums.kept"),
             t.percent(c.probability)]
            for c in top
        ],
        "believed": [[r, round(float(raw[r - 1]), 5)] for r in ranks],
        "drawn": [[r, round(float(filtered[r - 1]), 5)] for r in ranks],
        "size": distribution.size,
        "cut": distribution.last_kept_rank,
        "u": None if chosen is None else u,
        "rank": rank,
        "word": text,
        "labels": {
            "table": t("access.table.curve"),
            "along": t.list("access.columns.curve"),
            "title": t("sums.title"),
            "formula": t("sums.formula", kept=f"{distribution.kept:,}", size=f"{distribution.size:,}"),
            "curve": t("sums.curve"),
            "draw": t("sums.ended") if chosen is None else t("sums.greedy") if u is None else t(
                "sums.draw", seed=seed, position=len(distribution.token_ids) + 1, u=f"{u:.4f}",
                low=f"{interval[0]:.4f}", high=f"{interval[1]:.4f}",
            ),
        },
    }  # fmt: skip


def _curve_ranks(size: int) -> list[int]:
    """Ranks from 1 to `size`: all of the first 20, then logarithmically spaced."""
    spaced = {round(size ** (i / _CURVE_POINTS)) for i in range(_CURVE_POINTS + 1)}
    return sorted({*range(1, min(size, 20) + 1), *spaced, size})


def draw(payload: dict[str, Any], key: str = "sums") -> None:
    """Draw the component with the result of `data`."""
    _component(key=key, data=payload)
