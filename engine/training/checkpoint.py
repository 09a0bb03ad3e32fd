"""Checkpoints of a training run, in its work folder.

checkpoint.safetensors  the whole state in float32; a run resumed from it is identical to an uninterrupted one
weights.safetensors     the weights alone in float16, 2 MB for a million parameters: small enough to be carried
                        elsewhere; the optimisers of a run resumed from them begin again, with a warmup
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.training.errors import TrainingError, require_space
from engine.training.plan import Plan
from engine.training.run import Run

WHOLE, WEIGHTS = "checkpoint", "weights"


@dataclass(frozen=True)
class Checkpoint:
    """State of a run after `step` steps: tensors as in `Run.state`, or weights alone."""

    tensors: dict[str, Tensor]
    step: int
    plan: Plan

    @property
    def weights(self) -> dict[str, Tensor]:
        """Weights by name: the average where there is one."""
        prefix = "average." if "averaged_steps" in self.tensors else "model."
        return {n.removeprefix(prefix): t for n, t in self.tensors.items() if n.startswith(prefix)}


def save(run: Run, work: Path) -> None:
    """Write both files; each is written to a temporary file that then replaces the last one."""
    tensors = run.state()
    weights = {n: t.to(torch.float16) for n, t in tensors.items() if n.startswith("model.")}
    size = sum(t.numel() * t.element_size() for files in (tensors, weights) for t in files.values())
    require_space(work, 2 * size)
    for name, content in ((WHOLE, tensors), (WEIGHTS, weights)):
        temporary = work / f"{name}.new.safetensors"
        save_file(content, temporary, {"step": str(run.step), "plan": json.dumps(asdict(run.plan))})
        temporary.replace(work / f"{name}.safetensors")


def read(work: Path) -> Checkpoint | None:
    """The newest checkpoint of a work folder, the whole one of two that are as new; None if there is none.

    Raises TrainingError.
    """
    found = [(step, path, plan) for name in (WEIGHTS, WHOLE) if (path := work / f"{name}.safetensors").is_file()
             for step, plan in [_metadata(path)]]  # fmt: skip
    if not found:
        return None
    step, path, plan = max(found, key=lambda each: (each[0], each[1].stem == WHOLE))
    return Checkpoint({name: tensor.float() if tensor.dtype == torch.float16 else tensor
                       for name, tensor in load_file(path).items()}, step, plan)  # fmt: skip


def _metadata(path: Path) -> tuple[int, Plan]:
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        return int(metadata["step"]), Plan(**json.loads(metadata["plan"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{path} is not a checkpoint that can be read ({error}).") from error
