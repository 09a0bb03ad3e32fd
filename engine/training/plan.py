"""Plan of a training run: sizes of the Llama model, batches, and the schedule of the learning rate."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from engine.training.errors import TrainingError


@dataclass(frozen=True)
class Plan:
    """Model sizes and schedule of a run; saved with its checkpoints.

    vocabulary   number of token ids
    hidden, layers, heads, feed_forward, context  sizes of the Llama model
    rows, length  batch size and tokens a row before the decay
    matrix_rate, other_rate  peak learning rates of Muon and AdamW
    warm_up      steps of linear warmup
    falling      fraction of the run, at its end, over which the learning rate decays

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
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.steps, self.rows, self.length, self.layers, self.heads, self.vocabulary) < 1:
            raise TrainingError("Steps, rows, length, layers, heads and vocabulary must all be at least 1.")
        if self.hidden % (2 * self.heads):
            raise TrainingError(f"The hidden size {self.hidden} must be an even multiple of {self.heads} heads.")
        if self.length > self.context:
            raise TrainingError(f"Rows of {self.length} tokens do not fit a context of {self.context}.")

    def rate(self, step: int) -> float:
        """Learning rate multiplier at a step, 0 to 1."""
        decay_start = self.steps * (1 - self.falling)
        return min(1.0, (step + 1) / self.warm_up, (self.steps - step) / max(1.0, self.steps - decay_start))

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
