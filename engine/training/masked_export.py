"""Export of a masked model as a Hugging Face model folder: weights in bfloat16, and a tokenizer with `<mask>`."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import AutoTokenizer

from engine.training import checkpoint
from engine.training.errors import TrainingError
from engine.training.masked import MASK, build


def export(work: Path, causal: Path, target: Path) -> None:
    """Write the newest checkpoint of `work` to `target`, with the tokenizer of the causal model's folder.

    Unrelated files there (a model card) remain. Raises TrainingError without a checkpoint.
    """
    found = checkpoint.read(work)
    if found is None:
        raise TrainingError(f"{work} holds no checkpoint: run the masked command first.")
    model = build(found.plan)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(found.weights[name])
    temporary = target.with_name(target.name + ".new")
    shutil.rmtree(temporary, ignore_errors=True)
    model.bfloat16().save_pretrained(temporary)
    tokenizer = AutoTokenizer.from_pretrained(causal)
    tokenizer.add_special_tokens({"mask_token": MASK})
    if tokenizer.mask_token_id != model.config.mask_token_id:
        raise TrainingError(f"{MASK} has the id {tokenizer.mask_token_id} and not {model.config.mask_token_id}.")
    tokenizer.save_pretrained(temporary)
    target.mkdir(parents=True, exist_ok=True)
    for path in temporary.iterdir():
        path.chmod(0o644)
        path.replace(target / path.name)
    temporary.rmdir()
    size = (target / "model.safetensors").stat().st_size
    count = sum(p.numel() for p in model.parameters())
    print(f"step {found.step}: {count / 1e6:.1f} M parameters, {size / 1e6:.1f} MB in {target}", flush=True)
