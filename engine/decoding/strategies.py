"""The ways of choosing that are compared side by side: what can be set of each, and whether luck has a part in it.

Each changes one thing and leaves all else alone, so that a difference between two texts has one cause. Contrastive
search is not among them: `transformers` has it no longer. This file runs no model; `together.py` writes the texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.sampling.settings import Settings

Name = Literal["greedy", "beam", "sample", "temperature", "top_k", "top_p", "min_p", "typical_p"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """The one number of a strategy: its lowest and highest value worth trying, their step, the one to begin with."""

    low: float
    high: float
    step: float
    first: float


@dataclass(frozen=True, slots=True)
class DecodingStrategy:
    """A way of choosing.

    name       for those that filter, the name of the setting as well
    draws      whether a seed has a part in it; where not, every seed writes the same text
    parameter  None where nothing can be set
    """

    name: Name
    draws: bool
    parameter: Parameter | None = None

    def settings(self, value: float) -> Settings:
        """The settings with which it chooses each token; the number of beams is no setting of these.

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
BY_NAME: dict[str, DecodingStrategy] = {way.name: way for way in STRATEGIES}
