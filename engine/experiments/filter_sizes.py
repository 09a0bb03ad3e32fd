"""How many tokens top-k and top-p leave to choose from, step by step along one text.

Top-k leaves as many at every step; how many top-p leaves follows the distribution: few where the model is sure, many
where it is torn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.decoding.generation import generate
from engine.model.model import Model
from engine.sampling.distribution import Distribution
from engine.sampling.settings import Settings


@dataclass(frozen=True, slots=True)
class FilterSizes:
    """One step.

    text      the token that was drawn there, as a person reads it
    entropy   of what the model believed before it, in nats
    by_top_k  how many tokens top-k leaves; more than k where some are exactly as likely as the k-th
    by_top_p  how many top-p leaves
    """

    text: str
    entropy: float
    by_top_k: int
    by_top_p: int


def filter_sizes_along(
    model: Model, ids: Sequence[int], top_k: int, top_p: float, seed: int, steps: int
) -> list[FilterSizes]:
    """Both counts at each step of the text that is drawn after `ids` with top-p.

    Raises PromptError for ids that cannot be a prompt, SettingsError for a value out of range.
    """
    with_top_k = Settings(top_k=top_k)
    return [
        FilterSizes(
            text=step.text,
            entropy=step.distribution.entropy,
            by_top_k=Distribution(step.token_ids, step.distribution.logits, with_top_k, model.vocabulary.label).kept,
            by_top_p=step.distribution.kept,
        )
        for step in generate(model, ids, "sample", Settings(top_p=top_p), seed, steps)
    ]
