"""Plan of a training run: sizes of the Llama model, batches, and the schedule of the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from engine.training.errors import TrainingError

# Sizes and batches by name; `small` is meant for two processor cores, `large` for a GPU.
SHAPES: dict[str, dict[str, Any]] = {
    "small": {"hidden": 320, "layers": 6, "heads": 5, "feed_forward": 864, "rows": 24, "length": 256},
    "large": {"hidden": 448, "layers": 12, "heads": 7, "feed_forward": 1216, "rows": 256, "length": 256,
              "warm_up": 200},
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Model sizes and schedule of a run; saved with its checkpoints.

    vocabulary   number of token ids
    hidden, layers, heads, feed_forward, context  sizes of the Llama model
    rows, length  batch size and tokens a row before the decay
    matrix_rate, other_rate  peak learning rates of Muon and AdamW
    warm_up      steps of linear warmup
    falling      fraction of the run, at its end, over which the learning rate decays
    average      decay of the exponential moving average of the weights, which is what is exported; 0: none

    A run can be resumed with other `steps` and `falling` only. Raises TrainingError for invalid sizes.
    """

    vocabulary: int
    steps: int
    hidden: int = 288
    layers: int = 6
    heads: int = 6
    feed_forward: int = 768
    context: int = 512
    rows: int = 24
    length: int = 256
    matrix_rate: float = 0.02
    other_rate: float = 0.004
    warm_up: int = 100
    falling: float = 0.35
    average: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.steps, self.rows, self.length, self.layers, self.heads, self.vocabulary, self.warm_up) < 1:
            raise TrainingError("Steps, rows, length, layers, heads, vocabulary and warmup must all be at least 1.")
        if self.hidden % (2 * self.heads):
            raise TrainingError(f"The hidden size {self.hidden} must be an even multiple of {self.heads} heads.")
        if not 0 <= self.average < 1:
            raise TrainingError("The decay of the average is at least 0 and less than 1.")
        if self.length > self.context:
            raise TrainingError(f"Rows of {self.length} tokens do not fit a context of {self.context}.")

    def rate(self, step: int, first: int = 0) -> float:
        """Learning rate multiplier at a step, 0 to 1; `first`: the step at which the optimisers began."""
        decay_start = self.steps * (1 - self.falling)
        warm_up = (step - first + 1) / self.warm_up
        return min(1.0, warm_up, (self.steps - step) / max(1.0, self.steps - decay_start))

    @property
    def tokens(self) -> int:
        """Training tokens of the whole run."""
        return self.steps * self.rows * self.length

    def is_falling(self, step: int) -> bool:
        """Whether the learning rate decays at a step."""
        return step >= self.steps * (1 - self.falling)

    def shape(self, step: int) -> tuple[int, int]:
        """(rows, length) of the batch at a step: during the decay, rows of `context` tokens and as many tokens."""
        if not self.is_falling(step):
            return self.rows, self.length
        return max(1, self.rows * self.length // self.context), self.context


def make_plan(shape: str, vocabulary: int, given: Mapping[str, Any], tokens: int | None = None) -> Plan:
    """Plan of a shape, with the fields of `given` instead of its own; `tokens`: of the run, where `given` has no steps.

    Raises TrainingError for invalid sizes.
    """
    fields = {"steps": 1} | SHAPES[shape] | dict(given)
    plan = Plan(vocabulary=vocabulary, **fields)
    return plan if tokens is None else replace(plan, steps=max(1, tokens // (plan.rows * plan.length)))


def build(plan: Plan) -> LlamaForCausalLM:
    """Randomly initialised model, determined by `plan.seed`."""
    torch.manual_seed(plan.seed)
    config = LlamaConfig(  # type: ignore[call-arg]
        vocab_size=plan.vocabulary,
        hidden_size=plan.hidden,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        intermediate_size=plan.feed_forward,
        max_position_embeddings=plan.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config)
