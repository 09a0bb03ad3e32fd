"""Export of a checkpoint as a Hugging Face model folder: bfloat16 safetensors, configuration, tokenizer, history.

The files are written to a temporary folder and moved to the target when complete, so that a reader never sees a
partially written file.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import GenerationConfig

from engine.training.errors import TrainingError
from engine.training.plan import build
from engine.training.run import read_checkpoint

MAX_WEIGHT_BYTES = 48 * 2**20


def export(work: Path, target: Path) -> None:
    """Write the newest checkpoint of `work` to `target`; unrelated files there (a model card) remain.

    Raises TrainingError without a checkpoint, or for weights of more than MAX_WEIGHT_BYTES.
    """
    checkpoint = read_checkpoint(work)
    if checkpoint is None:
        raise TrainingError(f"{work} holds no checkpoint: run the train command first.")
    tensors, step, plan = checkpoint
    model = build(plan)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    temporary = target.with_name(target.name + ".new")
    shutil.rmtree(temporary, ignore_errors=True)
    model.generation_config = GenerationConfig(eos_token_id=0)
    model.bfloat16().save_pretrained(temporary)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (work / "tokenizer" / name).is_file():
            shutil.copy(work / "tokenizer" / name, temporary)
    if (work / "learning.json").is_file():
        shutil.copy(work / "learning.json", temporary)
    size = (temporary / "model.safetensors").stat().st_size
    if size > MAX_WEIGHT_BYTES:
        raise TrainingError(
            f"The weights are {size / 2**20:.0f} MB, more than the {MAX_WEIGHT_BYTES / 2**20:.0f} MB allowed."
        )
    target.mkdir(parents=True, exist_ok=True)
    for path in temporary.iterdir():
        path.chmod(0o644)
        path.replace(target / path.name)
    temporary.rmdir()
    if (work / "tokenizers").is_dir():  # tokenizers without a model, for comparison
        shutil.copytree(work / "tokenizers", target / "tokenizers", dirs_exist_ok=True)
    print(f"step {step}: {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, {size / 2**20:.1f} MB")
