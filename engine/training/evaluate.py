"""A model folder → its figures, printed: bits a character beside two rivals, the prompt suites, continuations.

What each means stands in `bits.py`, `rivals.py`, `prompts.py` and `samples.py`. It writes no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from engine.training import bits_per_character, prompt_suite, samples, tokenizer
from engine.training.errors import TrainingError
from engine.training.prompt_suite import accepted

__all__ = ["Extent", "accepted", "evaluate", "load"]


@dataclass(frozen=True)
class Extent:
    """How much to measure."""

    characters: int  # of held-out text a source; 0 leaves the table out
    rival_bytes: int  # of training text a source that the rivals learn from; 0 leaves them out
    stories: int  # 0 leaves all continuations out
    length: int = 40  # tokens of a continuation


def load(folder: Path) -> PreTrainedModel:
    """The weights of a model folder, at 32 bits."""
    if not (folder / "config.json").is_file():
        raise TrainingError(f"{folder} holds no model: run the export command first.")
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder} holds no model that can be read ({error}).") from error
    return model.eval()


def evaluate(folder: Path, work: Path, suites: Path, extent: Extent) -> None:
    """Print everything."""
    model, trained = load(folder), tokenizer.load(folder)
    size = sum(p.numel() for p in model.parameters())
    print(f"{folder.name}: {size / 1e6:.1f} M parameters, {trained.get_vocab_size()} entries")
    context = int(getattr(model.config, "max_position_embeddings", 512))
    if extent.characters:
        bits_per_character.rows(model, trained, work, extent.characters, context, extent.rival_bytes)
        print()
    prompt_suite.report(model, trained, suites)
    if extent.stories:
        samples.report(model, trained, extent.stories, extent.length)
