"""State of a training run: model, optimisers, average of the weights, and completed steps.

Matrices are optimised with Muon (Jordan et al. 2024), embeddings and norms with AdamW.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from transformers import PreTrainedModel

from engine.training.errors import TrainingError
from engine.training.mixture import shares
from engine.training.plan import Plan, build
from engine.training.prepare import Batches


@dataclass(frozen=True)
class Hardware:
    """Where and how a run computes.

    device    `cpu` or `cuda`
    bfloat16  whether matrix products are computed in bfloat16 (autocast); the weights stay in float32
    compiled  whether to use `torch.compile`
    """

    device: str = "cpu"
    bfloat16: bool = False
    compiled: bool = False


def find_hardware(device: str, precision: str, compiled: bool) -> Hardware:
    """Hardware for `auto` or a named device and precision; `auto` is bfloat16 on a GPU alone.

    On CPUs without matrix units, bfloat16 was measured to be 1.6 to 1.8 times slower than float32. Raises TrainingError
    for a GPU that is not there.
    """
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise TrainingError("No GPU was found: install a CUDA build of torch, or use --device cpu.")
    found = "cuda" if device == "cuda" or (device == "auto" and available) else "cpu"
    return Hardware(found, precision == "bfloat16" or (precision == "auto" and found == "cuda"), compiled)


class Run:
    """Training state.

    step        completed steps
    first_step  the step at which the optimisers began: more than 0 in a run resumed from weights alone
    average     moving average of the model's weights, None where the plan has none
    """

    def __init__(self, plan: Plan, hardware: Hardware, model: PreTrainedModel | None = None) -> None:
        self.plan, self.hardware, self.step, self.first_step = plan, hardware, 0, 0
        self.model = (model or build(plan)).to(hardware.device)  # type: ignore[arg-type]
        named = list(self.model.named_parameters())
        matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n]
        others = [p for n, p in named if p.ndim != 2 or "embed" in n]
        fused = hardware.device == "cuda"
        adamw = torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.01, fused=fused)
        self.optimisers: list[tuple[torch.optim.Optimizer, float]] = [
            (torch.optim.Muon(matrices, lr=plan.matrix_rate, weight_decay=0.02), plan.matrix_rate),
            (adamw, plan.other_rate),
        ]
        self.average = AveragedModel(self.model, multi_avg_fn=self._update_average) if plan.average else None
        self._loss = torch.compile(self._eager_loss, dynamic=False) if hardware.compiled else self._eager_loss

    @property
    def averaged_model(self) -> PreTrainedModel:
        """The model with averaged weights, or the model itself without an average."""
        return cast(PreTrainedModel, self.average.module) if self.average is not None else self.model

    def _update_average(self, averages: Any, weights: Any, count: Any) -> None:
        """One step of the moving average; the decay grows from 1 / 10, so that the first weights are soon forgotten."""
        decay = min(self.plan.average, (1 + int(count)) / (10 + int(count)))
        for average, weight in zip(averages, weights, strict=True):
            average.lerp_(weight, 1 - decay)

    def _eager_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats; inputs and targets: (B, T)."""
        with torch.autocast(self.hardware.device, torch.bfloat16, enabled=self.hardware.bfloat16):
            logits = self.model(input_ids=inputs, use_cache=False).logits  # (B, T, V)
            return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))

    def examples(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets of a batch of (B, T + 1) token ids, both (B, T)."""
        return batch[:, :-1], batch[:, 1:]

    def advance(self, batches: Batches) -> float:
        """Train one step. Returns its loss in nats a token."""
        rows, length = self.plan.shape(self.step)
        mixture = shares(batches.sizes, self.plan.is_falling(self.step), self.plan.tokens)
        batch = torch.from_numpy(batches.batch(self.step, mixture, rows, length)).to(self.hardware.device)  # (B, T + 1)
        loss = self._loss(*self.examples(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        rate = self.plan.rate(self.step, self.first_step)
        for optimiser, peak_rate in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = peak_rate * rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update_parameters(self.model)
        self.step += 1
        return float(loss.detach())

    def state(self) -> dict[str, Tensor]:
        """Tensors of the whole state, on the CPU: `model.NAME`, `average.NAME`, `averaged_steps`, `state.…`."""
        tensors = {f"model.{n}": p.detach() for n, p in self.model.named_parameters()}
        if self.average is not None:
            tensors |= {f"average.{n}": p.detach() for n, p in self.average.module.named_parameters()}
            tensors["averaged_steps"] = self.average.n_averaged.clone()
        for at, (optimiser, _) in enumerate(self.optimisers):
            for index, state in optimiser.state_dict()["state"].items():
                tensors |= {f"state.{at}.{index}.{k}": torch.as_tensor(v).clone() for k, v in state.items()}
        return {name: tensor.cpu() for name, tensor in tensors.items()}

    def restore(self, tensors: dict[str, Tensor], step: int) -> None:
        """Restore a state, or weights alone: then the optimisers, their warmup and the average begin again."""
        self.step = step
        _copy(tensors, "model", self.model.named_parameters())
        if not any(name.startswith("state.") for name in tensors):
            self.first_step = step
            return
        if self.average is not None and "averaged_steps" in tensors:
            _copy(tensors, "average", self.average.module.named_parameters())
            self.average.n_averaged.copy_(tensors["averaged_steps"])
        for at, (optimiser, _) in enumerate(self.optimisers):
            state: dict[str, Any] = optimiser.state_dict()
            state["state"] = {}
            for key, tensor in tensors.items():
                if key.startswith(f"state.{at}."):
                    index, name = key.removeprefix(f"state.{at}.").split(".", 1)
                    state["state"].setdefault(int(index), {})[name] = tensor
            optimiser.load_state_dict(state)


@torch.no_grad()
def _copy(tensors: dict[str, Tensor], prefix: str, parameters: Iterable[tuple[str, Tensor]]) -> None:
    for name, parameter in parameters:
        parameter.copy_(tensors[f"{prefix}.{name}"])
