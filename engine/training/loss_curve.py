"""Loss against tokens seen, fitted by a power law with a floor: what reading more text would give.

The law is L(n) = floor + scale · n^(−exponent) (Hoffmann et al. 2022, for one model size). It is fitted to the losses
of `loss.jsonl` at the constant learning rate, after the warmup: while the rate falls, the loss falls for another reason
and the mixture is another one. The prediction takes all text for new, so that it is too good once texts are read again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BINS = 40  # spaced evenly by the logarithm of the tokens
MIN_BINS = 8
EXPONENTS = np.linspace(0.02, 1.5, 149)
MULTIPLES = (1, 2, 4, 8)  # of the tokens seen, for which a loss is predicted


@dataclass(frozen=True)
class Curve:
    """Fitted law; losses in nats a token.

    error  root mean square of the residuals of the bins
    """

    floor: float
    scale: float
    exponent: float
    error: float

    def loss(self, tokens: float) -> float:
        return float(self.floor + self.scale * tokens**-self.exponent)


def read(work: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(tokens, losses, rates) by step from `loss.jsonl`; of a step with several lines (interrupted runs), the last."""
    lines: dict[int, tuple[float, float, float]] = {}
    path = work / "loss.jsonl"
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            entry = json.loads(line)
            lines[entry["step"]] = entry["tokens"], entry["loss"], entry["rate"]
        except (ValueError, KeyError, TypeError):  # torn by an interruption, or of an older format
            continue
    table = np.array([lines[step] for step in sorted(lines)]).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def fit(tokens: np.ndarray, losses: np.ndarray) -> Curve | None:
    """Least squares over bins, weighted by their steps; None for too few steps. tokens, losses: (N,)"""
    if len(tokens) < MIN_BINS:
        return None
    edges = np.geomspace(tokens[0], tokens[-1] * (1 + 1e-9), BINS + 1)
    index = np.digitize(tokens, edges)
    groups = [index == at for at in np.unique(index)]
    if len(groups) < MIN_BINS:
        return None
    x = np.array([np.exp(np.log(tokens[group]).mean()) for group in groups])  # (G,)
    y = np.array([losses[group].mean() for group in groups])
    weights = np.sqrt([group.sum() for group in groups])
    best: Curve | None = None
    for exponent in EXPONENTS:
        power = x**-exponent
        floor, scale = np.linalg.lstsq(np.stack([weights, weights * power], 1), weights * y, rcond=None)[0]
        if floor < 0:  # a loss cannot become negative
            floor, scale = 0.0, float((weights**2 * power * y).sum() / (weights**2 * power**2).sum())
        error = float(np.sqrt(np.average((floor + scale * power - y) ** 2, weights=weights**2)))
        if scale > 0 and (best is None or error < best.error):
            best = Curve(float(floor), float(scale), float(exponent), error)
    return best


def report(work: Path) -> Curve | None:
    """Print the fit, its predictions for multiples of the tokens seen, and what the fall of the rate gave."""
    tokens, losses, rates = read(work)
    constant = rates == 1
    curve = fit(tokens[constant], losses[constant])
    if curve is None:
        print("loss against tokens: too few steps at the constant rate for a fit")
        return None
    seen = float(tokens[constant][-1])
    print(f"loss at the constant rate: {curve.floor:.2f} + {curve.scale:.3g} · tokens^-{curve.exponent:.2f}, fitted to "
          f"{int(constant.sum()):,} steps (residuals {curve.error:.3f})")  # fmt: skip
    for multiple in MULTIPLES:
        loss = curve.loss(multiple * seen)
        print(f"  {multiple * seen / 1e6:8.1f} M tokens: {loss:.3f} nats a token, {loss - curve.loss(seen):+.3f}")
    after = tokens > seen
    if after.any():
        end = float(losses[after][-max(1, int(after.sum()) // 10) :].mean())
        print(f"  while the rate fell, to {tokens[-1] / 1e6:.1f} M tokens of another mixture: {end:.3f} at its end")
    return curve
