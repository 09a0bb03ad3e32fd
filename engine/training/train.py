"""Training of a small Llama model on the CPU, with checkpoints from which an interrupted run resumes.

Matrices are optimised with Muon (Jordan et al. 2024), embeddings and norms with AdamW. The learning rate follows a
warmup-stable-decay schedule (Hu et al. 2024) with linear decay; during the decay, rows have the full context length.
Every step depends only on the seed and the step number, so a resumed run is identical to an uninterrupted one. The
model's predictions for the lessons' prompts are recorded during training (`learning.json`).
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from engine.training import history
from engine.training.errors import TrainingError, require_space
from engine.training.mixture import shares
from engine.training.prepare import Batches


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


class Run:
    """Training state: model, optimisers and the number of completed steps."""

    def __init__(self, plan: Plan, work: Path, compiled: bool) -> None:
        self.plan, self.work, self.step = plan, work, 0
        self.model = build(plan)
        named = list(self.model.named_parameters())
        matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n]
        others = [p for n, p in named if p.ndim != 2 or "embed" in n]
        self.optimisers: list[tuple[torch.optim.Optimizer, float]] = [
            (torch.optim.Muon(matrices, lr=plan.matrix_rate, weight_decay=0.02), plan.matrix_rate),
            (torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.01), plan.other_rate),
        ]
        self._loss = torch.compile(self._eager_loss, dynamic=False) if compiled else self._eager_loss

    def _eager_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats; inputs and targets: (B, T)."""
        # float32: on CPUs without matrix units, bfloat16 was measured to be 1.6 to 1.8 times slower.
        logits = self.model(input_ids=inputs, use_cache=False).logits  # (B, T, V)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))

    def advance(self, batches: Batches) -> float:
        """Train one step. Returns its loss in nats a token."""
        rows, length = self.plan.shape(self.step)
        mixture = shares(batches.sizes, self.plan.is_falling(self.step), self.plan.tokens)
        batch = torch.from_numpy(batches.batch(self.step, mixture, rows, length))  # (B, T + 1)
        loss = self._loss(batch[:, :-1], batch[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        rate = self.plan.rate(self.step)
        for optimiser, peak_rate in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = peak_rate * rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return float(loss.detach())

    def save(self) -> None:
        """Save weights and optimiser state to a temporary file that then replaces the last checkpoint."""
        tensors = {f"model.{n}": p.detach() for n, p in self.model.named_parameters()}
        for at, (optimiser, _) in enumerate(self.optimisers):
            for index, state in optimiser.state_dict()["state"].items():
                tensors |= {f"state.{at}.{index}.{k}": torch.as_tensor(v).clone() for k, v in state.items()}
        require_space(self.work, 2 * sum(t.numel() * t.element_size() for t in tensors.values()))
        temporary = self.work / "checkpoint.new.safetensors"
        save_file(tensors, temporary, {"step": str(self.step), "plan": json.dumps(asdict(self.plan))})
        temporary.replace(self.work / "checkpoint.safetensors")

    def load(self, tensors: dict[str, Tensor], step: int) -> None:
        """Restore the state of a checkpoint, as returned by `read_checkpoint`."""
        parameters = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(tensors[f"model.{name}"])
        for at, (optimiser, _) in enumerate(self.optimisers):
            state: dict[str, Any] = optimiser.state_dict()
            state["state"] = {}
            for key, tensor in tensors.items():
                if key.startswith(f"state.{at}."):
                    index, name = key.removeprefix(f"state.{at}.").split(".", 1)
                    state["state"].setdefault(int(index), {})[name] = tensor
            optimiser.load_state_dict(state)
        self.step = step


def read_checkpoint(work: Path) -> tuple[dict[str, Tensor], int, Plan] | None:
    """(tensors, step, plan) of the newest checkpoint of a work folder; None if there is none. Raises TrainingError."""
    path = work / "checkpoint.safetensors"
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        return load_file(path), int(metadata["step"]), Plan(**json.loads(metadata["plan"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{path} is not a checkpoint that can be read ({error}).") from error


def _logged_loss(work: Path, step: int) -> float:
    """Last logged loss of a step; NaN if there is none. Lines may be incomplete after an interrupted run."""
    path, loss = work / "loss.jsonl", math.nan
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        if line.startswith(f'{{"step": {step}, ') and line.endswith("}"):
            loss = float(json.loads(line)["loss"])
    return loss


def train(plan: Plan, work: Path, prompts: dict[str, list[int]], compiled: bool, save_minutes: float) -> float:
    """Train up to `plan.steps`, resuming from the checkpoint of the work folder if there is one.

    prompts       token ids by prompt, for `history.record`
    compiled      whether to use `torch.compile`
    save_minutes  time between checkpoints

    Returns the last loss, in nats a token. Raises TrainingError for a checkpoint of other sizes.
    """
    batches = Batches(work, plan.seed)
    checkpoint = read_checkpoint(work)
    if checkpoint:
        from dataclasses import replace

        if replace(checkpoint[2], steps=plan.steps, falling=plan.falling) != plan:
            raise TrainingError(
                f"{work} holds a run with other sizes: {checkpoint[2]}. Use another folder, or the same sizes."
            )
    run = Run(plan, work, compiled)
    if checkpoint:
        run.load(checkpoint[0], checkpoint[1])
        print(f"going on from step {run.step}", flush=True)
    moments = history.moments(plan.steps)
    loss = _logged_loss(work, run.step)
    last_save, started, first = time.monotonic(), time.monotonic(), run.step
    while run.step < plan.steps:
        if run.step in moments:
            history.record(work, run.model, run.step, loss, prompts)
        loss = run.advance(batches)
        with (work / "loss.jsonl").open("a") as log:
            log.write(json.dumps({"step": run.step, "loss": round(loss, 5), "rate": plan.rate(run.step - 1)}) + "\n")
        if run.step % 20 == 0 or run.step == plan.steps:
            seconds = (time.monotonic() - started) / (run.step - first)  # a step
            left = seconds * (plan.steps - run.step) / 60
            print(
                f"step {run.step}/{plan.steps}  loss {loss:.3f}  {seconds:.2f} s a step  {left:.0f} min left",
                flush=True,
            )
        if time.monotonic() - last_save > 60 * save_minutes:
            run.save()
            last_save = time.monotonic()
    run.save()
    history.record(work, run.model, run.step, loss, prompts)
    return loss
