"""Export of a checkpoint as a Hugging Face model folder: bfloat16 safetensors, configuration, tokenizer, history.

The weights are the moving average of those of the run where its plan has one. Generation ends at `<eos>` and at the end
of a turn of a conversation.

The files are written to a temporary folder and moved to the target when complete, so that a reader never sees a
partially written file.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import GenerationConfig

from engine.training import chat_format, checkpoint, tokenizer
from engine.training.errors import TrainingError
from engine.training.plan import build

MAX_WEIGHT_BYTES = 96 * 10**6  # a file of more than 100 MB is refused by GitHub
FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


def export(work: Path, target: Path) -> None:
    """Write the newest checkpoint of `work` to `target`; unrelated files there (a model card) remain.

    Raises TrainingError without a checkpoint, or for weights of more than MAX_WEIGHT_BYTES.
    """
    found = checkpoint.read(work)
    if found is None:
        raise TrainingError(f"{work} holds no checkpoint: run the train command first.")
    model = build(found.plan)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(found.weights[name])
    temporary = target.with_name(target.name + ".new")
    shutil.rmtree(temporary, ignore_errors=True)
    trained = tokenizer.load(work / "tokenizer")
    ends = [trained.token_to_id(name) for name in (tokenizer.EOS, chat_format.END_OF_TURN)]
    model.generation_config = GenerationConfig(eos_token_id=[i for i in ends if i is not None])
    model.bfloat16().save_pretrained(temporary)
    for name in FILES:
        if (work / "tokenizer" / name).is_file():
            shutil.copy(work / "tokenizer" / name, temporary)
    if (work / "learning.json").is_file():
        shutil.copy(work / "learning.json", temporary)
    size = (temporary / "model.safetensors").stat().st_size
    if size > MAX_WEIGHT_BYTES:
        raise TrainingError(
            f"The weights are {size / 1e6:.0f} MB, more than the {MAX_WEIGHT_BYTES / 1e6:.0f} MB allowed."
        )
    target.mkdir(parents=True, exist_ok=True)
    for path in temporary.iterdir():
        path.chmod(0o644)
        path.replace(target / path.name)
    temporary.rmdir()
    if (work / "tokenizers").is_dir():  # tokenizers without a model, for comparison
        shutil.copytree(work / "tokenizers", target / "tokenizers", dirs_exist_ok=True)
    count = sum(p.numel() for p in model.parameters())
    print(f"step {found.step}: {count / 1e6:.1f} M parameters, {size / 1e6:.1f} MB in {target}", flush=True)
