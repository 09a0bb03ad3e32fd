"""The arithmetic behind the bars: logit → ÷ temperature → filters → probability, and where the draw landed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.sampling.distribution import Distribution

_POINTS = 160  # of a curve: enough for its width in pixels

_sums = register("sums", Path(__file__), "collapsible_table")


def sums(
    distribution: Distribution, chosen: int | None, u: float | None, seed: int, count: int, t: Translator
) -> dict[str, Any]:
    """What `sums.js` draws. rows: [state, token, logit, scaled, what became of it, probability]; curves as
    [rank, cumulative probability] at ranks spaced by their logarithm; `cut`: the last rank that may be drawn."""
    top = distribution.top(count, chosen)
    ranks = _ranks(distribution.size)
    believed, drawn = distribution.raw_cumulative, distribution.cumulative
    rank, interval, word = 1, (0.0, 0.0), ""
    if chosen is not None:
        candidate = distribution.candidate(chosen)
        rank, word, interval = candidate.rank, candidate.text, distribution.interval(chosen)
    return {
        "columns": [t("sums.token"), "logit", t("sums.scaled", t=f"{distribution.settings.temperature:g}"),
                    t("sums.filter"), t("sums.probability")],
        "rows": [
            ["pick" if c.token_id == chosen else "cut" if not c.kept else "", c.text, t.number(c.logit, 2),
             t.number(c.scaled, 2), t(f"filter.{c.cut_by}") if c.cut_by else t("sums.kept"),
             t.percent(c.probability)]
            for c in top
        ],
        "believed": [[r, round(float(believed[r - 1]), 5)] for r in ranks],
        "drawn": [[r, round(float(drawn[r - 1]), 5)] for r in ranks],
        "size": distribution.size,
        "cut": distribution.last_kept_rank,
        "u": u,
        "rank": rank,
        "word": word,
        "labels": {
            "table": t("access.table.curve"),
            "along": t.list("access.columns.curve"),
            "title": t("sums.title"),
            "formula": t("sums.formula", kept=f"{distribution.kept:,}", size=f"{distribution.size:,}"),
            "curve": t("sums.curve"),
            "draw": t("sums.greedy") if u is None else t(
                "sums.draw", seed=seed, position=len(distribution.token_ids) + 1, u=f"{u:.4f}",
                low=f"{interval[0]:.4f}", high=f"{interval[1]:.4f}",
            ),
        },
    }  # fmt: skip


def _ranks(size: int) -> list[int]:
    """Ranks from 1 to `size`, each of the first ones, then spaced by their logarithm."""
    spaced = {round(size ** (i / _POINTS)) for i in range(_POINTS + 1)}
    return sorted({*range(1, min(size, 20) + 1), *spaced, size})


def draw(data: dict[str, Any], key: str = "sums") -> None:
    _sums(key=key, data=data)
