"""Sampling settings with their ranges; names of strategies, filters and token origins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from engine.errors import SettingsError

Strategy = Literal["sample", "greedy"]
NEXT_TOKEN_STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

TokenOrigin = Literal["prompt", "greedy", "drawn", "hand"]  # `hand`: selected by the user

Filter = Literal["repetition_penalty", "no_repeat_ngram_size", "temperature", "top_k", "top_p", "min_p", "typical_p"]


# Minimum and maximum of each setting, both inclusive. Names and meanings as in `transformers.GenerationConfig`.
RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0.0, 100.0),
    "top_k": (0, 1_000_000),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "typical_p": (0.0, 1.0),
    "repetition_penalty": (0.01, 100.0),
    "no_repeat_ngram_size": (0, 100),
}


def check_ranges(settings: object, ranges: dict[str, tuple[float, float]]) -> None:
    """Raise SettingsError for the first attribute outside its range; integer bounds require an integer."""
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        integer = isinstance(low, int)
        if (
            isinstance(value, bool)
            or not isinstance(value, int if integer else (int, float))
            or not low <= value <= high  # false for a NaN
        ):
            raise SettingsError(name, f"{name} must be from {low} to {high}, not {value!r}", low=low, high=high)


@dataclass(frozen=True, slots=True)
class Settings:
    """Sampling parameters applied to the model's distribution before a draw. The defaults change nothing.

    temperature           divides the logits; 0 keeps only the most probable token (without a division)
    top_k                 keeps the k most probable tokens; 0 keeps all
    top_p                 keeps the smallest set of most probable tokens with at least this total probability; 1 keeps
                          all (Holtzman et al. 2020)
    min_p                 keeps tokens with at least this fraction of the highest probability; 0 keeps all
                          (Nguyen et al. 2024)
    typical_p             keeps the tokens whose surprisal is closest to the entropy, up to this total probability;
                          1 keeps all (Meister et al. 2023)
    repetition_penalty    above 1 lowers the logits of tokens that occur in the text; 1 has no effect
                          (Keskar et al. 2019)
    no_repeat_ngram_size  forbids repeating any n-gram of this many tokens; 0 forbids none

    Raises SettingsError if a value is out of range.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0

    def __post_init__(self) -> None:
        check_ranges(self, RANGES)

    def for_greedy(self) -> Settings:
        """Settings for greedy decoding, as `generate(do_sample=False)`: penalties stay, warpers are disabled."""
        return replace(self, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, typical_p=1.0)
