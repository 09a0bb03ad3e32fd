"""Candidate set sizes of top-k and top-p at each step of one sampled text.

Top-k keeps the same number of tokens at every step. The number that top-p keeps follows the distribution: few tokens
when it is peaked, many when it is flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.decoding.generation import generate
from engine.model.model import Model
from engine.sampling.settings import Settings


@dataclass(frozen=True, slots=True)
class FilterSizes:
    """Candidate set sizes at one step.

    text      display text of the token drawn at this step
    entropy   entropy of the raw distribution at this step, in nats
    by_top_k  number of tokens that top-k keeps; more than k where tokens tie with the k-th
    by_top_p  number of tokens that top-p keeps
    """

    text: str
    entropy: float
    by_top_k: int
    by_top_p: int


def filter_sizes_along(
    model: Model, ids: Sequence[int], top_k: int, top_p: float, seed: int, steps: int
) -> list[FilterSizes]:
    """Sizes at each step of a text sampled with top-p after the prompt `ids`, at most `steps` tokens.

    Raises PromptError for ids that cannot be a prompt, SettingsError for a value out of range.
    """
    with_top_k = Settings(top_k=top_k)
    return [
        FilterSizes(
            text=step.text,
            entropy=step.distribution.entropy,
            by_top_k=step.distribution.with_settings(with_top_k).kept,
            by_top_p=step.distribution.kept,
        )
        for step in generate(model, ids, "sample", Settings(top_p=top_p), seed, steps)
    ]
