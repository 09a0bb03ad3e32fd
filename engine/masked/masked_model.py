"""Masked language model: probabilities of hidden tokens, given the tokens on both sides of them.

The bundled one is an `EuroBertForMaskedLM` with the tokenizer of the bundled causal model and one more token, `<mask>`,
which stands for a hidden one. It is loaded when it is first used.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForMaskedLM, PreTrainedModel

from engine import usage
from engine.bundled import MASKED
from engine.errors import ModelError, PromptError, context_error, not_finite_error
from engine.tokenization.vocabulary import Vocabulary


class MaskedModel:
    """A masked language model and its tokenizer. Thread-safe.

    vocabulary      of all tokens, with `<mask>`
    mask            id of `<mask>`
    context_length  maximum number of tokens of a text
    """

    def __init__(self, hf: PreTrainedModel, vocabulary: Vocabulary, mask: int, context_length: int) -> None:
        self.hf, self.vocabulary, self.mask, self.context_length = hf, vocabulary, mask, context_length
        self._lock = threading.Lock()

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text. Raises PromptError: `surrogate`, `context`."""
        try:
            ids = self.vocabulary.encode(text)
        except UnicodeEncodeError as error:
            raise PromptError("surrogate", "a lone surrogate") from error
        self.check_length(ids)
        return ids

    def check_length(self, ids: Sequence[int]) -> None:
        """Raises PromptError(`context`) for more tokens than the model can see."""
        if len(ids) > self.context_length:
            raise context_error(len(ids), self.context_length)

    def log_probabilities(self, ids: Sequence[int], places: Sequence[int]) -> np.ndarray:
        """Log-probabilities of every token at some places, (n, V) float64, in nats; `<mask>` itself has none (-inf).

        One pass over the whole text; a token that is not hidden is seen as it is. Raises PromptError(`context`),
        EngineError(`not_finite`).
        """
        logits = self._run(ids, attention=False).logits[0, list(places)].double().numpy().copy()  # (n, V)
        if not np.isfinite(logits).all():
            raise not_finite_error("the logits")
        logits[:, self.mask] = -np.inf
        largest = logits.max(axis=1, keepdims=True)
        normalized: np.ndarray = logits - largest - np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))
        return normalized

    def attention(self, ids: Sequence[int]) -> np.ndarray:
        """Attention of a text, (L, H, T, T); rows sum to 1. No entry is forbidden: each token attends to both sides."""
        maps = self._run(ids, attention=True).attentions
        stacked: np.ndarray = torch.stack([layer[0] for layer in maps]).float().numpy()
        return stacked

    def text(self, ids: Sequence[int]) -> str:
        """Text of token ids."""
        return self.vocabulary.text(ids)

    def _run(self, ids: Sequence[int], attention: bool) -> Any:
        self.check_length(ids)
        usage.before_pass(len(ids))
        with self._lock, torch.inference_mode():
            # Attention weights are given by the eager implementation alone.
            self.hf.set_attn_implementation("eager" if attention else "sdpa")
            return self.hf(input_ids=torch.tensor([list(ids)]), output_attentions=attention)


def load_masked(folder: Path) -> MaskedModel:
    """Masked model of a folder in the hub's format, in float32. Raises ModelError(`broken`)."""
    name = folder.name
    try:
        hf = AutoModelForMaskedLM.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, local_files_only=True, dtype=torch.float32
        )
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # a truncated or foreign file may raise almost any exception
        raise ModelError("broken", f"{name} could not be read: {error}", name=name) from error
    size = int(hf.get_output_embeddings().weight.shape[0])
    mask = hf.config.mask_token_id
    return MaskedModel(hf.eval(), Vocabulary(tokenizer, size), int(mask), int(hf.config.max_position_embeddings))


@cache
def bundled_masked() -> MaskedModel:
    """The bundled masked model, loaded once per process."""
    return load_masked(MASKED)
