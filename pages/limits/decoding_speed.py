"""Decoding speed on the limits page: one parallel pass beside step-by-step generation, with and without a KV cache."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from pages.i18n.translator import Translator
from pages.limits import line_chart
from pages.limits.line_chart import Line, Point
from pages.session.incremental_run import IncrementalRun

if TYPE_CHECKING:
    from engine.experiments.decoding_speed import DecodingSpeed

# Color, dash and mark of each curve, by field of `Times`.
_STYLES = {
    "whole": ("soft", "dotted", "triangle-up"),
    "cached": ("pick", "dashed", "square"),
    "at_once": ("draw", "solid", "circle"),
}


def curves(speed: DecodingSpeed, t: Translator) -> list[Line]:
    """One curve a strategy: milliseconds by number of tokens."""
    lines = []
    for strategy, style in _STYLES.items():
        points = []
        for row in speed.times:
            seconds = getattr(row, strategy)
            tooltip = "" if seconds is None else t("limits.sequential.point", n=row.tokens, ms=_ms(seconds, t))
            points.append(Point(row.tokens, None if seconds is None else seconds * 1000, tooltip))
        lines.append(Line(t(f"limits.sequential.{strategy}"), *style, points))
    return lines


def _ms(seconds: float, t: Translator) -> str:
    return t.number(seconds * 1000, 0 if seconds >= 0.01 else 1)


def sentences(speed: DecodingSpeed, t: Translator) -> list[str]:
    """Comparison of two strategies each, at the longest text for which both were measured."""
    result = []
    known = [row for row in speed.times if row.at_once is not None]
    cached = next((row for row in reversed(known) if row.cached is not None), None)
    if cached is not None and cached.at_once and cached.cached:
        factor = cached.cached / cached.at_once
        key = "slower" if round(factor, 1) > 1 else "not_slower"
        result.append(
            t(f"limits.sequential.{key}", n=cached.tokens, once=_ms(cached.at_once, t), steps=_ms(cached.cached, t),
              factor=t.number(factor, 0 if factor >= 10 else 1))
        )  # fmt: skip
    whole = next((row for row in reversed(known) if row.whole is not None), None)
    if whole is not None and whole.whole:
        if whole.cached:
            factor = whole.whole / whole.cached
            key = "cache_helps" if round(factor, 1) > 1.1 else "cache_does_not"
            result.append(
                t(f"limits.sequential.{key}", n=whole.tokens, whole=_ms(whole.whole, t), factor=t.number(factor))
            )
        else:
            result.append(t("limits.sequential.no_cache", n=whole.tokens, whole=_ms(whole.whole, t)))
    if speed.difference is not None and result:
        difference = math.ceil(speed.difference * 1e6) / 1e6  # rounded up: "at most"
        result.append(t("limits.sequential.equal", difference=f"{difference:.6f}"))
    return result


def draw(run: IncrementalRun, t: Translator) -> None:
    """Curves, sentences and table of a run of `engine.experiments.decoding_speed`."""
    lines = curves(run.work, t)
    axes = line_chart.Axes(t("limits.sequential.x"), t("limits.sequential.y"), run.work.lengths)
    line_chart.draw(lines, axes, "limits_times", 280)
    for sentence in sentences(run.work, t):
        st.markdown(sentence)
    st.caption(t("limits.sequential.note"))
    line_chart.draw_table(lines, axes, 1, t, "limits_times_table")
