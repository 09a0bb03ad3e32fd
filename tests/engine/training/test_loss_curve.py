"""Loss curve: a known law is found again, and only steps at the constant rate are fitted."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from engine.training import loss_curve


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.floats(0, 3), st.floats(0.15, 0.8), st.floats(2, 8))
def test_a_known_law_is_found_again(floor: float, exponent: float, first: float) -> None:
    tokens = np.arange(100, 1500) * 6144.0
    scale = first / tokens[0] ** -exponent
    noise = np.random.default_rng(1).normal(0, 0.05, len(tokens))
    curve = loss_curve.fit(tokens, floor + scale * tokens**-exponent + noise)
    assert curve is not None
    for multiple in loss_curve.MULTIPLES:
        want = floor + scale * (multiple * tokens[-1]) ** -exponent
        assert curve.loss(multiple * tokens[-1]) == pytest.approx(want, abs=0.25 * multiple**0.5)
    assert curve.loss(tokens[-1]) == pytest.approx(floor + scale * tokens[-1] ** -exponent, abs=0.02)
    assert curve.floor >= 0 and curve.error < 0.05


def test_only_the_constant_rate_is_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert loss_curve.report(tmp_path) is None
    assert "too few steps" in capsys.readouterr().out
    lines = []
    for step in range(1, 401):
        rate = min(1.0, step / 50, (401 - step) / 100)
        loss = 9.0 if step < 50 else 2 + 40 * (step * 1000.0) ** -0.3 if rate == 1 else 1.0
        lines.append(json.dumps({"step": step, "loss": loss, "rate": rate, "tokens": step * 1000}))
    lines.insert(100, json.dumps({"step": 90, "loss": 99.0, "rate": 1.0, "tokens": 90_000}))  # replaced by a later line
    lines.append(json.dumps({"step": 90, "loss": 2 + 40 * 90_000**-0.3, "rate": 1.0, "tokens": 90_000}))
    (tmp_path / "loss.jsonl").write_text("\n".join([*lines, '{"step": 12, "lo']), "utf-8")
    curve = loss_curve.report(tmp_path)
    assert curve is not None and curve.error < 1e-3
    assert curve.loss(1_200_000) == pytest.approx(2 + 40 * 1_200_000**-0.3, abs=0.02)
    printed = capsys.readouterr().out
    assert "252 steps" in printed and "1.000 at its end" in printed
