"""Training history of the bundled model: loss and next-token predictions at steps spaced evenly by their logarithm.

Read from `learning.json`, which was recorded during training; nothing is recomputed. The loss of a checkpoint is that
of the single training batch before it, in nats per token. For each prompt, the most probable next tokens and their
probabilities were recorded from the weights at that step.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from engine.bundled import BUNDLED


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Loss and predictions recorded at one training step.

    step        number of optimizer steps so far
    loss        loss of the batch of that step, in nats per token; None before the first step
    top_tokens  per prompt: (token id, probability) of the most probable next tokens, most probable first
    """

    step: int
    loss: float | None
    top_tokens: dict[str, tuple[tuple[int, float], ...]]

    def probability(self, prompt: str, token_id: int) -> float | None:
        """Probability of a token after a prompt; None where the token is not among the recorded ones."""
        return dict(self.top_tokens[prompt]).get(token_id)


@dataclass(frozen=True, slots=True)
class TrainingHistory:
    """Training history of one model.

    top          number of tokens recorded per prompt and checkpoint
    checkpoints  all of them in order of step; the first precedes any training
    """

    top: int
    checkpoints: tuple[Checkpoint, ...]

    @property
    def prompts(self) -> tuple[str, ...]:
        return tuple(self.checkpoints[0].top_tokens)


@cache
def training_history() -> TrainingHistory:
    """Training history of the bundled model, read from `learning.json` once per process."""
    data = json.loads((BUNDLED / "learning.json").read_text("utf-8"))
    checkpoints = tuple(
        Checkpoint(c["step"], c["loss"], {p: tuple((i, v) for i, v in rows) for p, rows in c["prompts"].items()})
        for c in data["moments"]
    )
    return TrainingHistory(data["top"], checkpoints)
