"""Training history: loss and the most probable next tokens after some prompts, at logarithmically spaced steps.

The prompts (`history_prompts.toml`) are the lessons' own, in Traditional Chinese, English, and Simplified Chinese.
`train` records them from the model in training into `learning.json`, from which a page shows how the distributions
develop.
"""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

TOP = 20  # tokens a prompt
MOMENTS = 24  # logarithmically spaced steps, before duplicates are removed
PROMPTS = Path(__file__).with_name("history_prompts.toml")


def read_prompts() -> list[str]:
    """The prompts in their order, without the languages."""
    by_language: dict[str, list[str]] = tomllib.loads(PROMPTS.read_text("utf-8"))
    return [prompt for prompts in by_language.values() for prompt in prompts]


def moments(steps: int) -> set[int]:
    """Steps to record: 0 and logarithmically spaced steps up to `steps`. `train` records the last step separately."""
    return {0} | {round(steps ** (i / (MOMENTS - 1))) for i in range(MOMENTS)}


@torch.inference_mode()
def record(work: Path, model: PreTrainedModel, step: int, loss: float, prompts: dict[str, list[int]]) -> None:
    """Add an entry for `step` to `learning.json`; replaces entries of the same or later steps.

    loss     of the batch before this step, in nats a token; NaN if there is none
    prompts  token ids by prompt
    """
    path = work / "learning.json"
    history: dict[str, Any] = {"top": TOP, "moments": []}
    if path.is_file():
        history = json.loads(path.read_text("utf-8"))
    model.eval()
    lengths = torch.tensor([len(ids) for ids in prompts.values()])
    inputs = torch.zeros((len(prompts), int(lengths.max())), dtype=torch.long)  # (P, T), padded at the end
    for row, ids in enumerate(prompts.values()):
        inputs[row, : len(ids)] = torch.tensor(ids)
    logits = model(input_ids=inputs.to(model.device), use_cache=False).logits.float().cpu()  # (P, T, V)
    best = torch.softmax(logits[torch.arange(len(prompts)), lengths - 1], dim=-1).topk(min(TOP, logits.shape[-1]))
    predictions = {
        prompt: [[i, round(p, 5)] for i, p in zip(best.indices[row].tolist(), best.values[row].tolist(), strict=True)]
        for row, prompt in enumerate(prompts)
    }
    model.train()
    entries = [m for m in history["moments"] if m["step"] < step]
    entries.append({"step": step, "loss": None if math.isnan(loss) else round(loss, 4), "prompts": predictions})
    history["moments"] = entries
    path.write_text(json.dumps(history, ensure_ascii=False, separators=(",", ":")), "utf-8")
