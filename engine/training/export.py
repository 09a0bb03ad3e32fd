"""A checkpoint → a folder in the Hugging Face format: 16-bit safetensors, configuration, tokenizer, what was recorded.

The folder is written beside its place and then moved there, so that a reader never sees half a model.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import GenerationConfig

from engine.training.errors import TrainingError
from engine.training.train import build, read_checkpoint

LARGEST = 48 * 2**20


def export(work: Path, target: Path) -> None:
    """Write the newest checkpoint of `work` to `target`; other files that stand there (a model card) are kept."""
    found = read_checkpoint(work)
    if found is None:
        raise TrainingError(f"{work} holds no checkpoint: run the train command first.")
    tensors, step, plan = found
    model = build(plan)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    model.generation_config = GenerationConfig(eos_token_id=0)
    model.bfloat16().save_pretrained(fresh)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (work / "tokenizer" / name).is_file():
            shutil.copy(work / "tokenizer" / name, fresh)
    if (work / "learning.json").is_file():
        shutil.copy(work / "learning.json", fresh)
    size = (fresh / "model.safetensors").stat().st_size
    if size > LARGEST:
        raise TrainingError(f"The weights are {size / 2**20:.0f} MB, more than the {LARGEST / 2**20:.0f} MB allowed.")
    target.mkdir(parents=True, exist_ok=True)
    for path in fresh.iterdir():
        path.chmod(0o644)
        path.replace(target / path.name)
    fresh.rmdir()
    if (work / "tokenizers").is_dir():  # without a model, for comparing
        shutil.copytree(work / "tokenizers", target / "tokenizers", dirs_exist_ok=True)
    print(f"step {step}: {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, {size / 2**20:.1f} MB")
