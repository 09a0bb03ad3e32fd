"""Logits processors of `transformers`, in the order in which `generate` applies them."""

from __future__ import annotations

import numpy as np
import torch
from transformers import (
    LogitsProcessor,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from engine.sampling.settings import Filter, Settings

FILTERS: tuple[Filter, ...] = (
    "repetition_penalty",
    "no_repeat_ngram_size",
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
)

_MIN_TEMPERATURE = 1e-30  # dividing by less can overflow float32; the limit is the same

RESHAPING = (RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper)  # change scores; the others only remove tokens


class _ArgmaxWarper(LogitsProcessor):
    """Temperature 0 as the limit from above: all probability on the most probable token."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        best = scores.argmax(dim=-1, keepdim=True)  # (1, 1)
        return torch.full_like(scores, -torch.inf).scatter(1, best, scores.gather(1, best))


class _ValueSortedTopP(TopPLogitsWarper):
    """Top-p of `transformers` for one row, (1, V), with the same result: the values are sorted without their indices.

    In a large vocabulary sorting takes nearly all the time of the processor, and with indices ten times as long. The
    indices matter only where the last removed token and the first kept one tie.
    """

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        ascending = torch.from_numpy(np.sort(scores.numpy()))  # (1, V)
        removed = ascending.softmax(dim=-1).cumsum(dim=-1) <= (1 - self.top_p)
        removed[..., -self.min_tokens_to_keep :] = False
        count = int(removed.sum())
        if count and ascending[0, count - 1] == ascending[0, count]:
            return super().__call__(input_ids, scores)
        return scores.masked_fill(scores < ascending[0, count], self.filter_value)


def processors(settings: Settings) -> list[tuple[Filter, LogitsProcessor]]:
    """Active processors of the settings, in the order in which `generate` applies them."""
    chain: list[tuple[Filter, LogitsProcessor]] = []
    if settings.repetition_penalty != 1.0:
        chain.append(("repetition_penalty", RepetitionPenaltyLogitsProcessor(float(settings.repetition_penalty))))
    if settings.no_repeat_ngram_size > 0:
        chain.append(("no_repeat_ngram_size", NoRepeatNGramLogitsProcessor(settings.no_repeat_ngram_size)))
    if settings.temperature < _MIN_TEMPERATURE:
        chain.append(("temperature", _ArgmaxWarper()))
    elif settings.temperature != 1.0:
        chain.append(("temperature", TemperatureLogitsWarper(float(settings.temperature))))
    if settings.top_k > 0:
        chain.append(("top_k", TopKLogitsWarper(settings.top_k)))
    if settings.top_p < 1.0:
        chain.append(("top_p", _ValueSortedTopP(float(settings.top_p))))
    if settings.min_p > 0.0:
        chain.append(("min_p", MinPLogitsWarper(float(settings.min_p))))
    if settings.typical_p < 1.0:
        # The processor rejects a mass of 0; a tiny one keeps a single token, as the limit does.
        chain.append(("typical_p", TypicalLogitsWarper(max(float(settings.typical_p), 1e-9))))
    return chain
