"""What the model believed while it learned: loss, and the likeliest next tokens of the lessons' prompts.

Recorded from the real model during training, at moments spaced by powers, into `learning.json`, so that a page can
show how a distribution took shape. It trains nothing.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

TOP = 20
MOMENTS = 24


def moments(steps: int) -> set[int]:
    """Steps at which to look: 0, then spaced evenly by their logarithm. The last step is recorded by itself."""
    return {0} | {round(steps ** (i / (MOMENTS - 1))) for i in range(MOMENTS)}


@torch.inference_mode()
def record(work: Path, model: PreTrainedModel, step: int, loss: float, prompts: dict[str, list[int]]) -> None:
    """Add one moment to the record (a later one of the same step replaces it)."""
    path = work / "learning.json"
    known: dict[str, Any] = {"top": TOP, "moments": []}
    if path.is_file():
        known = json.loads(path.read_text("utf-8"))
    model.eval()
    looked = {}
    for prompt, ids in prompts.items():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].float()  # (V,)
        best = torch.softmax(logits, dim=-1).topk(min(TOP, len(logits)))
        looked[prompt] = [[i, round(p, 5)] for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]
    model.train()
    kept = [m for m in known["moments"] if m["step"] < step]
    kept.append({"step": step, "loss": None if math.isnan(loss) else round(loss, 4), "prompts": looked})
    known["moments"] = kept
    path.write_text(json.dumps(known, ensure_ascii=False, separators=(",", ":")), "utf-8")
