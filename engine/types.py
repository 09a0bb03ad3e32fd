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
Fate = Literal["kept", "pruned", "finished"]
SearchStop = Literal["length", "context", "full", "bound", "ended"]
Filter = Literal["repetition_penalty", "no_repeat_ngram_size", "temperature", "top_k", "top_p", "min_p", "typical_p"]


class EngineError(Exception):
    """Something a person can mend. `code` names the sentence to show, `values` fill it in."""

    def __init__(self, code: str, message: str, **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class PromptError(EngineError):
    """The text cannot be a prompt: `empty`, `characters`, `context`, `surrogate`, `token`.

    Where the host limits what visitors of the app may ask for, `limit_prompt` and `limit_demo` too.
    """


class SettingsError(EngineError):
    """A setting is out of its range; `code` is the setting's name."""


class TraceError(EngineError):
    """Not a trace that can be opened: `trace`, `trace_size`, `trace_version` (a later one), `trace_vocabulary`."""


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


def _check_ranges(settings: object, ranges: dict[str, tuple[float, float]]) -> None:
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
        _check_ranges(self, RANGES)

    def for_greedy(self) -> Settings:
        """The same without the filters, as `generate(do_sample=False)`: penalties stay, warpers go."""
        return replace(self, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, typical_p=1.0)


# As RANGES, for beam search.
BEAM_RANGES: dict[str, tuple[float, float]] = {
    "width": (1, 64),
    "length_penalty": (-10.0, 10.0),
    "max_new_tokens": (1, 512),
    "repetition_penalty": RANGES["repetition_penalty"],
    "no_repeat_ngram_size": RANGES["no_repeat_ngram_size"],
}


@dataclass(frozen=True, slots=True)
class BeamSettings:
    """How beam search goes; names and meanings are those of `transformers.GenerationConfig`.

    width                 how many beams live on at each level; one is greedy search
    length_penalty        finished beams are ranked by log-probability / length ** length_penalty: 0 favours short
                          ones, more than 0 long ones (Wu et al. 2016 is where dividing by a power comes from)
    max_new_tokens        how many levels there are at most
    early_stopping        True: stop as soon as `width` beams are finished; False: when none that lives could do better
                          at its present length; "never": when none could at any length
    repetition_penalty, no_repeat_ngram_size  as in Settings

    Raises SettingsError where a value is out of range.
    """

    width: int = 4
    length_penalty: float = 1.0
    max_new_tokens: int = 12
    early_stopping: bool | Literal["never"] = False
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0

    def __post_init__(self) -> None:
        _check_ranges(self, BEAM_RANGES)
        if self.early_stopping not in (True, False, "never"):
            raise SettingsError("early_stopping", f"early_stopping cannot be {self.early_stopping!r}")

    @property
    def penalties(self) -> Settings:
        """What changes the model's distribution during the search."""
        return Settings(repetition_penalty=self.repetition_penalty, no_repeat_ngram_size=self.no_repeat_ngram_size)


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
    def predicted(self) -> int:
        """How many tokens have something before them."""
        return sum(value is not None for value in self.log_probabilities)

    @property
    def loss(self) -> float:
        """The mean of -log p over all predicted tokens, in nats: what training makes small. 0.0 without any."""
        return -self.log_probability / self.predicted if self.predicted else 0.0

    @property
    def perplexity(self) -> float:
        """exp of the loss; 1.0 where no token is predicted."""
        return math.exp(self.loss)


@dataclass(frozen=True, slots=True)
class BeamNode:
    """One candidate that was among the best of its level. Node 0 is the prompt, at level 0.

    parent                index of the node that it extends; -1 for the prompt
    token_id              its token; for the prompt the last one
    step_log_probability  of this token after its parent, after the penalties (natural logarithm, as all here)
    log_probability       sum over all tokens after the prompt
    score                 log_probability / level ** length_penalty: what finished beams are ranked by
    rank                  1 is the level's best candidate
    fate                  `kept` lives on, `finished` ended here among the first `width`, `pruned` is neither
    ends                  whether nothing can follow: an end-of-text token, or the last level
    """

    index: int
    parent: int
    level: int
    token_id: int
    step_log_probability: float
    log_probability: float
    score: float
    rank: int
    fate: Fate
    ends: bool


@dataclass(frozen=True, slots=True)
class BeamLevel:
    """What one level did; nodes by their index.

    candidates  the best extensions, best first
    live        those that live on, best first
    finished    all finished beams that are still held after this level, best score first, at most `width`
    considered  how many extensions there were: live beams before it × vocabulary
    hope        the best score that a live beam could still reach, as `generate` estimates it; None where none lives
    worst       the worst score among finished beams once there are `width` of them, None before
    stop        why the search ends here: `length`, `context` (window full), `full` (early stopping: enough are
                finished), `bound` (hope is not better than worst), `ended` (no beam lives); None where it goes on
    """

    candidates: tuple[int, ...]
    live: tuple[int, ...]
    finished: tuple[int, ...]
    considered: int
    hope: float | None
    worst: float | None
    stop: SearchStop | None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A finished beam: its tokens (prompt included), its text, and the numbers of its last node."""

    token_ids: tuple[int, ...]
    text: str
    log_probability: float
    score: float
    node: int
