"""Evaluation of a model folder, printed: loss curve, bits per character against two baselines, prompt suites, word
edges, samples.

The measures are defined in `loss_curve.py`, `bits_per_character.py`, `baselines.py`, `prompt_suite.py`,
`word_edges.py`, `leaks.py` and
`samples.py`. No file is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from engine.training import bits_per_character, leaks, loss_curve, prompt_suite, samples, tokenizer, word_edges
from engine.training.errors import TrainingError
from engine.training.prompt_suite import accepted

__all__ = ["Extent", "accepted", "evaluate", "load"]


@dataclass(frozen=True)
class Extent:
    """Extent of an evaluation."""

    characters: int  # of held-out text a source; 0: no table of bits per character
    rival_bytes: int  # of training text a source for the baselines; 0: no baselines
    stories: int  # number of stories; 0: no samples at all
    length: int = 40  # tokens of a sample


def load(folder: Path) -> PreTrainedModel:
    """Model of a folder in float32, in evaluation mode. Raises TrainingError."""
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
    """Print the evaluation of the model in `folder`; `work` contains the validation split, `suites` the prompts."""
    model, trained = load(folder), tokenizer.load(folder)
    size = sum(p.numel() for p in model.parameters())
    print(f"{folder.name}: {size / 1e6:.1f} M parameters, {trained.get_vocab_size()} entries")
    context = int(getattr(model.config, "max_position_embeddings", 512))
    if extent.characters:
        bits_per_character.rows(model, trained, work, extent.characters, context, extent.rival_bytes)
        print()
    loss_curve.report(work)
    print()
    results = prompt_suite.report(model, trained, suites)
    print()
    word_edges.report(model, trained, suites / "word-edges" / "word-edge.toml")
    leaks.report(results, bits_per_character.own_text(work, trained))
    if extent.stories:
        samples.report(model, trained, extent.stories, extent.length)
