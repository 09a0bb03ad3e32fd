"""Token arrays → weights: a small Llama, trained on the processor, in runs that can be killed and go on.

Matrices are trained with Muon (Jordan et al. 2024), embeddings and norms with AdamW; the rate rises, stays, and
falls linearly over the last part (warm-up, stable, decay: Hu et al. 2024), during which rows are 512 tokens long.
Everything that a step does follows from the seed and the step's number, so a resumed run gives what an unbroken one
gives. While it trains it records what the model believes of the lessons' prompts (`learning.json`).
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
    """Sizes and schedule of a run; saved with its checkpoints, and the same on resume but for `steps`."""

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
    falling: float = 0.35  # the last part of the run, in which the rate falls
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.steps, self.rows, self.length, self.layers, self.heads, self.vocabulary) < 1:
            raise TrainingError("Steps, rows, length, layers, heads and vocabulary must all be at least 1.")
        if self.hidden % (2 * self.heads):
            raise TrainingError(f"The hidden size {self.hidden} must be an even multiple of {self.heads} heads.")
        if self.length > self.context:
            raise TrainingError(f"Rows of {self.length} tokens do not fit a context of {self.context}.")

    def rate(self, step: int) -> float:
        """What the rates are multiplied with at a step: 0 to 1."""
        fall_from = self.steps * (1 - self.falling)
        return min(1.0, (step + 1) / self.warm_up, (self.steps - step) / max(1.0, self.steps - fall_from))

    @property
    def tokens(self) -> int:
        """Tokens seen in the whole run."""
        return self.steps * self.rows * self.length

    def is_falling(self, step: int) -> bool:
        return step >= self.steps * (1 - self.falling)

    def shape(self, step: int) -> tuple[int, int]:
        """(rows, length) of a step's batch: long rows, as many tokens, while the rate falls."""
        if not self.is_falling(step):
            return self.rows, self.length
        return max(1, self.rows * self.length // self.context), self.context


def build(plan: Plan) -> LlamaForCausalLM:
    """The untrained model, the same for the same seed."""
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
    """A model with its optimisers at some step."""

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
        self._loss = torch.compile(self._plain_loss, dynamic=False) if compiled else self._plain_loss

    def _plain_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        # In float32: on processors without matrix units, bfloat16 was measured to be 1.6 to 1.8 times slower.
        logits = self.model(input_ids=inputs, use_cache=False).logits  # (B, T, V)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))

    def advance(self, batches: Batches) -> float:
        """One step; returns its loss in nats a token."""
        rows, length = self.plan.shape(self.step)
        mixture = shares(batches.sizes, self.plan.is_falling(self.step), self.plan.tokens)
        batch = torch.from_numpy(batches.batch(self.step, mixture, rows, length))  # (B, T + 1)
        loss = self._loss(batch[:, :-1], batch[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        rate = self.plan.rate(self.step)
        for optimiser, highest in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = highest * rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return float(loss.detach())

    def save(self) -> None:
        """Weights and optimiser state, written beside the last checkpoint and then put in its place."""
        tensors = {f"model.{n}": p.detach() for n, p in self.model.named_parameters()}
        for at, (optimiser, _) in enumerate(self.optimisers):
            for index, state in optimiser.state_dict()["state"].items():
                tensors |= {f"state.{at}.{index}.{k}": torch.as_tensor(v).clone() for k, v in state.items()}
        require_space(self.work, 2 * sum(t.numel() * t.element_size() for t in tensors.values()))
        fresh = self.work / "checkpoint.new.safetensors"
        save_file(tensors, fresh, {"step": str(self.step), "plan": json.dumps(asdict(self.plan))})
        fresh.replace(self.work / "checkpoint.safetensors")

    def load(self, tensors: dict[str, Tensor], step: int) -> None:
        """Go on from a checkpoint's tensors."""
        own = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(tensors[f"model.{name}"])
        for at, (optimiser, _) in enumerate(self.optimisers):
            written: dict[str, Any] = optimiser.state_dict()
            written["state"] = {}
            for key, tensor in tensors.items():
                if key.startswith(f"state.{at}."):
                    index, name = key.removeprefix(f"state.{at}.").split(".", 1)
                    written["state"].setdefault(int(index), {})[name] = tensor
            optimiser.load_state_dict(written)
        self.step = step


def read_checkpoint(work: Path) -> tuple[dict[str, Tensor], int, Plan] | None:
    """The newest checkpoint of a work folder: tensors, step, plan; None where there is none."""
    path = work / "checkpoint.safetensors"
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as opened:
            stated = opened.metadata()
        return load_file(path), int(stated["step"]), Plan(**json.loads(stated["plan"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{path} is not a checkpoint that can be read ({error}).") from error


def _logged_loss(work: Path, step: int) -> float:
    """The loss that the log has for a step; NaN where it has none. A line may be torn: the run was killed there."""
    path, found = work / "loss.jsonl", math.nan
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        if line.startswith(f'{{"step": {step}, ') and line.endswith("}"):
            found = float(json.loads(line)["loss"])
    return found


def train(plan: Plan, work: Path, prompts: dict[str, list[int]], compiled: bool, save_minutes: float) -> float:
    """Train up to `plan.steps`, going on from the work folder's checkpoint if there is one. Returns the last loss."""
    batches = Batches(work, plan.seed)
    found = read_checkpoint(work)
    if found:
        from dataclasses import replace

        if replace(found[2], steps=plan.steps, falling=plan.falling) != plan:
            raise TrainingError(
                f"{work} holds a run with other sizes: {found[2]}. Use another folder, or the same sizes."
            )
    run = Run(plan, work, compiled)
    if found:
        run.load(found[0], found[1])
        print(f"going on from step {run.step}", flush=True)
    moments = history.moments(plan.steps)
    loss = _logged_loss(work, run.step)
    saved, started, first = time.monotonic(), time.monotonic(), run.step
    while run.step < plan.steps:
        if run.step in moments:
            history.record(work, run.model, run.step, loss, prompts)
        loss = run.advance(batches)
        with (work / "loss.jsonl").open("a") as log:
            log.write(json.dumps({"step": run.step, "loss": round(loss, 5), "rate": plan.rate(run.step - 1)}) + "\n")
        if run.step % 20 == 0 or run.step == plan.steps:
            pace = (time.monotonic() - started) / (run.step - first)
            left = pace * (plan.steps - run.step) / 60
            print(
                f"step {run.step}/{plan.steps}  loss {loss:.3f}  {pace:.2f} s a step  {left:.0f} min left", flush=True
            )
        if time.monotonic() - saved > 60 * save_minutes:
            run.save()
            saved = time.monotonic()
    run.save()
    history.record(work, run.model, run.step, loss, prompts)
    return loss
