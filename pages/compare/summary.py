"""What one comparison came to, in plain sentences: only what its own numbers say, about these texts alone."""

from __future__ import annotations

import math

from engine.decoding.text_metrics import Measures
from pages.compare.state import CompareState
from pages.compare.text_rows import name
from pages.components.text_table import read
from pages.i18n.translator import Translator

_SAME = 1e-9  # numbers nearer than this are equal: two strategies wrote the same


def sentences(comparison: CompareState, t: Translator) -> list[str]:
    """Which strategies were the most probable, the most varied, the most repetitive; none while fewer than two are
    finished. Strategies that are equal are named together."""
    seeds = len(comparison.answered.seeds) if comparison.answered else 1
    found = [(name(entry.strategy, entry.value, t), entry.measures(seeds)) for entry in comparison.finished]
    if len(found) < 2:
        return []
    told = []
    for measure in ("per_token", "distinct_2"):
        names, value = _highest(found, measure, t)
        if names:
            told.append(t(f"compare.verdict.{measure}", names=names, value=read(measure, value, t), seeds=seeds))
    names, value = _highest(found, "repetition", t)
    if names and value > 0:
        told.append(t("compare.verdict.repetition", names=names, value=read("repetition", value, t)))
    elif names:
        told.append(t("compare.verdict.no_repetition"))
    return told


def _highest(found: list[tuple[str, Measures]], measure: str, t: Translator) -> tuple[str, float]:
    """Names of those with the highest value, and the value; no name where nobody has one."""
    known = [(name, value) for name, measures in found if (value := getattr(measures, measure)) is not None]
    if not known:
        return "", math.nan
    best = max(value for _, value in known)
    return t("compare.and").join(name for name, value in known if value >= best - _SAME), best
