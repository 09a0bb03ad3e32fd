"""Sentences of the limits page for any measured numbers: what each claims holds for its numbers, also as displayed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.decoding.batch_generation import Continuation
from engine.experiments.decoding_speed import Times
from engine.experiments.error_accumulation import TextPair
from engine.experiments.exposure_bias import Loss
from pages.i18n.translator import Translator
from pages.limits import decoding_speed, error_accumulation, exposure_bias
from tests.pages.sentences import number, which

T = Translator("en")
ALIKE = 0.05  # nats a token
seconds = st.one_of(st.sampled_from([0.01, 0.0101, 0.011]), st.floats(1e-5, 50))
nats = st.integers(0, 300).map(lambda n: n / 100)


@given(seconds, st.none() | seconds, st.none() | seconds, st.none() | st.floats(0, 1e-3))
def test_times(at_once: float, cached: float | None, whole: float | None, difference: float | None) -> None:
    speed: Any = SimpleNamespace(times=[Times(8, at_once, cached, whole)], difference=difference)
    lines = decoding_speed.sentences(speed, T)
    if cached is not None:
        name, values = which(lines.pop(0), "limits.sequential", ("slower", "not_slower"))
        if name == "slower":
            assert cached > at_once
            assert number(values["factor"]) > 1 and number(values["steps"]) >= number(values["once"])
        else:
            assert cached < at_once * 1.05 + 1e-9
    if whole is not None:
        name, values = which(lines.pop(0), "limits.sequential", ("cache_helps", "cache_does_not", "no_cache"))
        assert (name == "no_cache") == (cached is None)
        if cached is not None:
            assert (name == "cache_helps") == (number(values["factor"]) > 1.1)
            assert abs(number(values["factor"]) - whole / cached) <= 0.0501
    if lines:
        _, values = which(lines.pop(0), "limits.sequential", ("equal",))
        assert difference is not None and number(values["difference"]) >= difference
    assert not lines


def losses(texts: int) -> st.SearchStrategy[tuple[list[float], list[float]]]:
    """Losses by position and by text."""
    return st.tuples(st.lists(nats, min_size=6, max_size=8), st.lists(nats, min_size=texts, max_size=texts))


@given(st.integers(1, 4).flatmap(lambda texts: st.tuples(*[losses(texts)] * 3)))
def test_exposure(drawn: Any) -> None:
    length = min(len(by_position) for by_position, _ in drawn)
    measured = {
        kind: Loss(tuple(by_position[:length]), tuple(by_text))
        for kind, (by_position, by_text) in zip(("true", "own", "other"), drawn, strict=True)
    }
    exposure: Any = SimpleNamespace(loss=measured.__getitem__)
    lines = exposure_bias.sentences(exposure, T)
    true, own, other = (np.array(measured[kind].by_text) for kind in ("true", "own", "other"))
    rise = float((own - true).mean())
    name, values = which(lines.pop(0), "limits.exposure", ("rose", "equal", "did_not_rise"))
    shown = number(values["own"]) - number(values["true"])
    if name == "rose":
        assert rise > ALIKE and shown > 0 and int(values["above"]) == int((own > true).sum())
    elif name == "equal":
        assert abs(rise) <= ALIKE + 1e-9 and abs(shown) <= ALIKE + 0.011
    else:
        assert rise < 0 and shown < 0
    if name != "rose":
        assert not lines
        return
    name, values = which(lines.pop(0), "limits.exposure", ("beyond", "like_other", "below", "one_text"))
    assert (name == "one_text") == (len(own) == 1)
    if name != "one_text":
        error = float(np.std(own - other, ddof=1) / np.sqrt(len(own)))
        beyond = float((own - other).mean())
        assert abs(number(values["difference"]) - abs(beyond)) < 0.0051
        if abs(abs(beyond) - 2 * error) > 1e-9:
            assert (name == "like_other") == (abs(beyond) < 2 * error)
        if name != "like_other":
            assert (name == "beyond") == (beyond > 0)
    if lines:
        name, values = which(lines.pop(0), "limits.exposure", ("recovers", "does_not_recover"))
        first, last = number(values["first"]), number(values["last"])
        assert first > 0, "a difference at the beginning"
        if name == "recovers":
            assert last < first
    assert not lines


@given(st.lists(st.tuples(st.lists(nats, max_size=4), st.lists(nats, max_size=4)), max_size=4))
def test_losses_after_a_forced_token(drawn: list[tuple[list[float], list[float]]]) -> None:
    def text(values: list[float]) -> Continuation:
        return Continuation(0, tuple(range(len(values) + 1)), (-1.0, *(-value for value in values)))

    pairs = [TextPair(text(own), text(forced)) for own, forced in drawn]
    (line,) = error_accumulation.loss_sentences(pairs, T)
    means = np.array([(-np.mean(own), -np.mean(forced)) for own, forced in drawn if own and forced])
    if not len(means):
        assert line == T("limits.errors.nothing")
        return
    once = "_once" if len(means) == 1 else ""
    name, values = which(line, "limits.errors", tuple(f"{name}{once}" for name in ("worse", "equal", "better")))
    change = float(means[:, 1].mean() - means[:, 0].mean())
    shown = number(values["forced"]) - number(values["own"])
    if name.startswith("equal"):
        assert abs(change) < ALIKE + 1e-9 and abs(shown) < ALIKE + 0.011
    else:
        assert name.startswith("worse") == (change < 0) == (shown < 0)
    if "lower" in values:
        assert int(values["lower"]) == int((means[:, 1] < means[:, 0]).sum())
