"""State of a training run: model, optimisers and completed steps, with checkpoints from which it resumes.

Matrices are optimised with Muon (Jordan et al. 2024), embeddings and norms with AdamW.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.training.errors import TrainingError, require_space
from engine.training.mixture import shares
from engine.training.plan import Plan, build
from engine.training.prepare import Batches


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
