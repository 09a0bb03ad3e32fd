"""The small immutable values that the engine takes and gives: settings, candidates, steps, errors.

They hold numbers and text only, no tensors, and know nothing of the screen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

Strategy = Literal["greedy", "sample"]
How = Literal["prompt", "greedy", "drawn", "hand"]
StopReason = Literal["end", "length", "context", "person"]
Filter = Literal["repetition_penalty", "no_repeat_ngram_size", "temperature", "top_k", "top_p", "min_p", "typical_p"]


class EngineError(Exception):
    """Something a person can mend. `code` names the sentence to show, `values` fill it in."""

    def __init__(self, code: str, message: str, **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class PromptError(EngineError):
    """The text cannot be a prompt: `empty`, `characters`, `context`, `surrogate`, `token`."""


class SettingsError(EngineError):
    """A setting is out of its range; `code` is the setting's name."""


class ModelError(EngineError):
    """A model cannot be loaded: `missing`, `not_allowed`, `no_safetensors`, `no_tokenizer`, `not_causal`, `broken`."""


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
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            whole = isinstance(low, int)
            if (
                isinstance(value, bool)
                or not isinstance(value, int if whole else (int, float))
                or not low <= value <= high  # false for a NaN
            ):
                raise SettingsError(name, f"{name} must be from {low} to {high}, not {value!r}", low=low, high=high)

    def for_greedy(self) -> Settings:
        """The same without the filters, as `generate(do_sample=False)`: penalties stay, warpers go."""
        return replace(self, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, typical_p=1.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One token that could come next.

    logit        what the model gave
    scaled       the logit after penalties and temperature, before any token is cut
    raw          softmax over the whole vocabulary of `logit`: what the model believes
    probability  after every filter: what may be drawn; 0 where cut
    cut_by       the filter that cut it, None where it was kept
    rank         1 is the token with the highest raw probability
    """

    token_id: int
    text: str
    logit: float
    scaled: float
    raw: float
    probability: float
    kept: bool
    cut_by: Filter | None
    rank: int


@dataclass(frozen=True, slots=True)
class Score:
    """Teacher forcing: how probable each token of a text was, given what stands left of it.

    log_probabilities and ranks have one entry a token; the first token has none before it and holds None.
    Natural logarithms.
    """

    token_ids: tuple[int, ...]
    log_probabilities: tuple[float | None, ...]
    ranks: tuple[int | None, ...]

    @property
    def log_probability(self) -> float:
        """Sum over all predicted tokens, in nats."""
        return sum(value for value in self.log_probabilities if value is not None)

    @property
    def perplexity(self) -> float:
        """exp of the mean negative log-probability; 1.0 where no token is predicted."""
        predicted = sum(value is not None for value in self.log_probabilities)
        return math.exp(-self.log_probability / predicted) if predicted else 1.0
