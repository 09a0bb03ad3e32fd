"""Comparison of the engine with `transformers` for one family of models with random weights.

Reference: one pass of the same weights without a KV cache, with eager attention where the family has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from engine.decoding.beam_search import BeamSearch
from engine.decoding.beam_types import BeamSettings
from engine.errors import EngineError, ModelError
from engine.interpret.logit_lens import logit_lens
from engine.model.loading import load
from engine.model.model import Model
from tests import tiny
from tests.families.configs import EXCEPTIONS, NO_CONFIGURATION, tiny_config

MAX_PARAMETERS = 10**7
TOLERANCE = 5e-4  # of a log-probability: recurrent layers compute in blocks, which round otherwise
LENGTH = 24  # tokens, more than the sliding windows of `configs.py`


class NotTiny(Exception):
    """A configuration that cannot be made, or that has more than MAX_PARAMETERS."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Largest absolute differences from the reference; None where the engine refuses the quantity.

    refused    code of the ModelError with which the model was refused; nothing else was compared then
    one_pass   log-probabilities of a text computed in one pass
    steps      of a text computed token by token, and of a branch in its middle
    beams      total log-probabilities of a beam search's sequences, each recomputed by the reference
    lens       probabilities of the last layer
    attention  attention weights
    """

    refused: str | None = None
    one_pass: float = 0.0
    steps: float = 0.0
    beams: float = 0.0
    lens: float | None = None
    attention: float | None = None

    def line(self) -> str:
        """Line of the table."""
        lens = "lens refused" if self.lens is None else f"lens {self.lens:.0e}"
        attention = "no attention" if self.attention is None else f"attention {self.attention:.0e}"
        computed = f"one pass {self.one_pass:.0e} · steps {self.steps:.0e} · beams {self.beams:.0e}"
        return f"{computed} · {lens} · {attention}"

    def largest(self) -> float:
        """Largest of all differences."""
        return max(self.one_pass, self.steps, self.beams, self.lens or 0.0, self.attention or 0.0)


def save(family: str, folder: Path) -> Path:
    """Save the tiny model of a family. Raises NotTiny."""
    tokenizer = tiny.byte_level()
    try:
        config = tiny_config(family, tokenizer.get_vocab_size())
        with torch.device("meta"):  # counts without allocating: some default parts have billions of parameters
            parameters = sum(weight.numel() for weight in AutoModelForCausalLM.from_config(config).parameters())
        if parameters > MAX_PARAMETERS:
            raise NotTiny(f"{parameters} parameters")
        return tiny.save(folder, tokenizer, config)
    except Exception as error:  # model code may raise almost any exception for sizes that it was not made for
        raise NotTiny(f"{type(error).__name__}: {error}") from error


def compare(folder: Path) -> Comparison:
    """Compare a saved model with its reference. Raises what neither may raise: any error but those of the engine."""
    try:
        model = load(folder, from_hub=False)
    except ModelError as error:
        return Comparison(refused=error.code)
    reference = load_reference(folder)
    text = tuple(range(20, 20 + LENGTH))
    walk = tuple(range(60, 60 + LENGTH))
    branch = (*walk[: LENGTH // 2], *text[:4])
    one_pass = _difference(_ours(model, text), reference_log_probabilities(reference, text))
    for end in range(3, LENGTH + 1):
        model.records(walk[:end])
    steps = max(
        _difference(_ours(model, ids), reference_log_probabilities(reference, ids)) for ids in (walk, branch, walk[:8])
    )
    return Comparison(
        one_pass=one_pass,
        steps=steps,
        beams=_beams(model, reference, text[:6]),
        lens=_lens(model, reference, text),
        attention=_attention(model, reference, text),
    )


def load_reference(folder: Path) -> PreTrainedModel:
    """The same weights in `transformers`, with eager attention."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def _ours(model: Model, ids: tuple[int, ...]) -> torch.Tensor:
    """(T, V) log-probabilities of the engine."""
    return torch.log_softmax(torch.from_numpy(np.stack([output.logits for output in model.records(ids)])), dim=-1)


@torch.inference_mode()
def _run(reference: PreTrainedModel, ids: tuple[int, ...], **arguments: Any) -> Any:
    return reference(input_ids=torch.tensor([ids]), use_cache=False, **arguments)


def reference_log_probabilities(reference: PreTrainedModel, ids: tuple[int, ...]) -> torch.Tensor:
    """(T, V) log-probabilities of the reference."""
    return torch.log_softmax(_run(reference, ids).logits[0].float(), dim=-1)


def _difference(left: torch.Tensor, right: torch.Tensor) -> float:
    assert torch.isfinite(left).all() and torch.isfinite(right).all()
    return float((left - right).abs().max())


def _beams(model: Model, reference: PreTrainedModel, prompt: tuple[int, ...]) -> float:
    search = BeamSearch(model, prompt, BeamSettings(width=3, max_new_tokens=4))
    search.grow_to(4)
    differences = []
    for sequence in search.sequences:
        ids = sequence.token_ids
        rows = reference_log_probabilities(reference, ids)
        total = sum(float(rows[t - 1, ids[t]]) for t in range(len(prompt), len(ids)))
        differences.append(abs(total - sequence.log_probability))
    return max(differences)


def _lens(model: Model, reference: PreTrainedModel, ids: tuple[int, ...]) -> float | None:
    try:
        lens = logit_lens(model, ids)
    except EngineError as error:
        if error.code != "lens":
            raise
        return None
    want = reference_log_probabilities(reference, ids).exp().max(dim=-1).values
    return _difference(torch.from_numpy(lens.probability[-1]), want)


def _attention(model: Model, reference: PreTrainedModel, ids: tuple[int, ...]) -> float | None:
    square = (len(ids), len(ids))
    out = _run(reference, ids, output_attentions=True)
    layers = [a for a in getattr(out, "attentions", None) or () if a is not None and a.shape[2:] == square]
    try:
        ours = model.attention(ids)
    except EngineError as error:
        if error.code != "attention" or layers:  # refused although the family returns it
            raise
        return None
    return _difference(torch.from_numpy(ours), torch.cat(layers))


def check(family: str, folder: Path) -> tuple[str, str]:
    """Line of the table for a family, and what is not as expected of it, empty if nothing."""
    expected = EXCEPTIONS.get(family)
    try:
        save(family, folder)
    except NotTiny as error:
        return f"no tiny configuration: {error}"[:120], "" if expected == NO_CONFIGURATION else "not expected"
    try:
        result = compare(folder)
    except Exception as error:  # model code may raise almost any exception
        return f"{type(error).__name__}: {error}"[:120], "an error that is none of the engine's"
    if result.refused:
        return f"refused as {result.refused}", "" if expected == result.refused else "not expected"
    if expected:
        return result.line(), f"expected: {expected}"
    return result.line(), "" if result.largest() <= TOLERANCE else f"by more than {TOLERANCE}"
