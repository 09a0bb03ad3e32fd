"""What the numbers of a comparison and of a lockstep run say, as Markdown sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.i18n.translator import Translator, plain
from pages.side_by_side.result import Result

if TYPE_CHECKING:
    from engine.experiments.model_comparison import Comparison, Lockstep

_FAR, _NEAR = 0.5, 0.1  # bits, from which and up to which a sentence calls two distributions so


def divergence(comparison: Comparison, t: Translator) -> list[str]:
    """The divergence, what its size means, and how much of each distribution it is about."""
    value = comparison.divergence
    told = [t("side.no_divergence")]
    if value is not None:
        size = "near" if value <= _NEAR else "far" if value >= _FAR else "between"
        told = [t("side.divergence", bits=t.number(value, 3)), t(f"side.size.{size}")]
    if comparison.equal:
        return [*told, t("side.equal")]
    outside = {"a": t.percent(comparison.first_outside), "b": t.percent(comparison.second_outside)}
    return [*told, t("side.outside", shared=f"{comparison.shared:,}", **outside)]


def bits(result: Result, t: Translator) -> list[str]:
    """Which model the text surprises less, on which characters; that it cannot be compared."""
    found = result.surprise
    if result.alone:
        return []
    if found is None:
        return [t("side.no_bits")]
    numbers = {"a": t.number(found.first, 2), "b": t.number(found.second, 2), "count": f"{found.characters:,}"}
    key = "same" if numbers["a"] == numbers["b"] else "a_less" if found.first < found.second else "b_less"
    context = t("side.bits_from_start") if found.start == 0 else t("side.bits_after", start=f"{found.start:,}")
    return [t(f"side.surprise.{key}", **numbers), context]


def unknown(result: Result, names: list[str], t: Translator) -> list[str]:
    """For each model whose vocabulary cannot write the text, which characters it lacks."""
    return [
        t("side.unknown", name=plain(name), parts=plain(" ".join(reading.unknown[:8])))
        for name, reading in zip(names, result.readings, strict=False)
        if reading.unknown
    ]


def lockstep(work: Lockstep, t: Translator) -> str:
    """Where a lockstep run was of one mind least and most, and the mean."""
    values = [step.comparison.divergence for step in work.steps if step.comparison.divergence is not None]
    told = [t("side.run_ended")] if work.ended else []
    if len(values) >= 2:
        far, near = max(values), min(values)
        numbers = {"far": t.number(far, 3), "near": t.number(near, 3), "mean": t.number(sum(values) / len(values), 3)}
        told.insert(0, t("side.run_told", at=f"{values.index(far) + 1}", **numbers))
    return " ".join(told)
