"""Decoding strategies for side-by-side comparison: the parameter of each, and whether it samples.

Each strategy changes a single setting, so that a difference between two texts has one cause. Contrastive search is left
out because `transformers` no longer has it. Runs no model; `batch_generation.py` generates the texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.sampling.settings import Settings

Name = Literal["greedy", "beam", "sample", "temperature", "top_k", "top_p", "min_p", "typical_p"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Range of a strategy's only parameter: lowest and highest useful value, step size, and default (`first`)."""

    low: float
    high: float
    step: float
    first: float


@dataclass(frozen=True, slots=True)
class DecodingStrategy:
    """A decoding strategy.

    name       for strategies that filter, also the name of the setting in `Settings`
    draws      whether it samples with a seed; if not, every seed yields the same text
    parameter  None for a strategy without one
    """

    name: Name
    draws: bool
    parameter: Parameter | None = None

    def settings(self, value: float) -> Settings:
        """Sampling settings for a parameter value. The number of beams is not one of them: see `BeamSettings`.

        Raises SettingsError for a value out of the setting's range.
        """
        if self.name in ("greedy", "beam", "sample"):
            return Settings()
        return Settings(**{self.name: value})  # type: ignore[arg-type]


STRATEGIES: tuple[DecodingStrategy, ...] = (
    DecodingStrategy("greedy", draws=False),
    DecodingStrategy("beam", draws=False, parameter=Parameter(2, 8, 1, 4)),
    DecodingStrategy("sample", draws=True),
    DecodingStrategy("temperature", draws=True, parameter=Parameter(0.0, 2.0, 0.05, 0.7)),
    DecodingStrategy("top_k", draws=True, parameter=Parameter(1, 200, 1, 20)),  # Fan et al. 2018
    DecodingStrategy("top_p", draws=True, parameter=Parameter(0.05, 1.0, 0.01, 0.9)),  # Holtzman et al. 2020
    DecodingStrategy("min_p", draws=True, parameter=Parameter(0.01, 0.5, 0.01, 0.1)),  # Nguyen et al. 2024
    DecodingStrategy("typical_p", draws=True, parameter=Parameter(0.05, 1.0, 0.01, 0.9)),  # Meister et al. 2023
)
BY_NAME: dict[str, DecodingStrategy] = {strategy.name: strategy for strategy in STRATEGIES}
