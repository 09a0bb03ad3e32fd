"""Summary of a comparison in sentences, from the measures of its own texts only."""

from __future__ import annotations

import math

from engine.decoding.text_metrics import Measures
from pages.compare.state import CompareState
from pages.compare.text_rows import strategy_label
from pages.components.tables.text_table import read
from pages.i18n.translator import Translator


def sentences(state: CompareState, t: Translator) -> list[str]:
    """Sentences about the most probable, most varied and most repetitive strategy; none for fewer than two finished.

    Strategies whose measures read the same are named together.
    """
    seeds = len(state.run_settings.seeds) if state.run_settings else 1
    measured = [(strategy_label(run.strategy, run.value, t), run.measures(seeds)) for run in state.finished]
    if len(measured) < 2:
        return []
    result = []
    for measure in ("per_token", "distinct_2"):
        names, value = _highest(measured, measure, t)
        if names:
            result.append(t(f"compare.verdict.{measure}", names=names, value=read(measure, value, t), seeds=seeds))
    names, value = _highest(measured, "repetition", t)
    if names and value > 0:
        result.append(t("compare.verdict.repetition", names=names, value=read("repetition", value, t)))
    elif names:
        result.append(t("compare.verdict.no_repetition"))
    return result


def _highest(measured: list[tuple[str, Measures]], measure: str, t: Translator) -> tuple[str, float]:
    """Joined names of the strategies with the highest value of a measure, and that value; ("", nan) if all are None."""
    known = [(name, value) for name, measures in measured if (value := getattr(measures, measure)) is not None]
    if not known:
        return "", math.nan
    best = max(value for _, value in known)
    shown = read(measure, best, t)
    return t("compare.and").join(name for name, value in known if read(measure, value, t) == shown), best
