"""Sampling settings with their ranges, and the names of strategies, filters and token origins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import SettingsError

Strategy = Literal["greedy", "sample"]


TokenOrigin = Literal["prompt", "greedy", "drawn", "hand"]


Filter = Literal["repetition_penalty", "no_repeat_ngram_size", "temperature", "top_k", "top_p", "min_p", "typical_p"]


# Each setting: lowest and highest value taken, both included. Names and meanings are those of
# `transformers.GenerationConfig`.
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
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        whole = isinstance(low, int)
        if (
            isinstance(value, bool)
            or not isinstance(value, int if whole else (int, float))
            or not low <= value <= high  # false for a NaN
        ):
            raise SettingsError(name, f"{name} must be from {low} to {high}, not {value!r}", low=low, high=high)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the model's distribution is changed before a token is drawn. The defaults change nothing.

    temperature           divides the logits; 0 keeps the likeliest token alone (nothing is divided by it)
    top_k                 keeps the k likeliest tokens; 0 keeps all
    top_p                 keeps the smallest set of likeliest tokens that holds this much probability; 1 keeps all
                          (Holtzman et al. 2020)
    min_p                 keeps tokens at least this fraction as likely as the likeliest (Nguyen et al. 2024)
    typical_p             keeps the tokens whose surprise is nearest the expected one (Meister et al. 2023)
    repetition_penalty    weakens tokens that stand in the text already; 1 does nothing (Keskar et al. 2019)
    no_repeat_ngram_size  forbids repeating any run of this many tokens; 0 forbids none

    Raises SettingsError where a value is out of range.
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
        """The same without the filters, as `generate(do_sample=False)`: penalties stay, warpers go."""
        return replace(self, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, typical_p=1.0)
