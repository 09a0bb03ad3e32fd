"""Settings and results of beam search: nodes, levels and finished hypotheses. No tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import SettingsError
from engine.sampling.settings import RANGES, Settings, check_ranges

NodeStatus = Literal["kept", "pruned", "finished"]
SearchStop = Literal["length", "context", "full", "bound", "ended"]

# Lowest and highest value of each beam search setting, both included; as RANGES.
BEAM_RANGES: dict[str, tuple[float, float]] = {
    "width": (1, 64),
    "length_penalty": (-10.0, 10.0),
    "max_new_tokens": (1, 512),
    "repetition_penalty": RANGES["repetition_penalty"],
    "no_repeat_ngram_size": RANGES["no_repeat_ngram_size"],
}


@dataclass(frozen=True, slots=True)
class BeamSettings:
    """Settings of beam search, with the names and meanings of `transformers.GenerationConfig`.

    width                 maximum number of active beams per level (`num_beams`); 1 is greedy search
    length_penalty        finished beams are ranked by log-probability / length ** length_penalty: 0 favours short
                          texts, values above 0 long ones (dividing by a power of the length is from Wu et al. 2016)
    max_new_tokens        maximum number of levels
    early_stopping        True: stop as soon as `width` beams are finished; False: stop when no active beam could score
                          better at its current length; "never": stop when none could at any length
    repetition_penalty, no_repeat_ngram_size  as in Settings

    Raises SettingsError for a value out of range.
    """

    width: int = 4
    length_penalty: float = 1.0
    max_new_tokens: int = 12
    early_stopping: bool | Literal["never"] = False
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0

    def __post_init__(self) -> None:
        check_ranges(self, BEAM_RANGES)
        if self.early_stopping not in (True, False, "never"):
            raise SettingsError("early_stopping", f"early_stopping cannot be {self.early_stopping!r}")

    @property
    def penalties(self) -> Settings:
        """Settings with the penalties only: they are applied to the model's distribution during the search."""
        return Settings(repetition_penalty=self.repetition_penalty, no_repeat_ngram_size=self.no_repeat_ngram_size)


@dataclass(frozen=True, slots=True)
class BeamNode:
    """Node of the search tree: one of the best candidates of its level. Node 0 is the prompt, at level 0.

    index                 index in `BeamSearch.nodes`
    parent                index of the node that it extends; -1 for the prompt
    token_id              its token; for the prompt, the last token of the prompt
    step_log_probability  log-probability of this token given its parent's text, after the penalties. All logarithms
                          are natural.
    log_probability       sum of step_log_probability over all tokens after the prompt
    score                 log_probability / level ** length_penalty, by which finished beams are ranked
    rank                  rank among the candidates of its level, from 1 (best)
    status                `kept`: an active beam of the next level; `finished`: ends here and ranks among the first
                          `width`; `pruned`: neither
    ends                  whether no token can follow: an end-of-text token, or the last level
    """

    index: int
    parent: int
    level: int
    token_id: int
    step_log_probability: float
    log_probability: float
    score: float
    rank: int
    status: NodeStatus
    ends: bool


@dataclass(frozen=True, slots=True)
class BeamLevel:
    """Result of one level of the search; nodes are given by index.

    candidates      the best extensions of the active beams, best first
    active          the candidates that remain active beams, best first
    finished        all finished beams after this level, best score first, at most `width`
    considered      number of extensions that were ranked: active beams before this level × vocabulary size
    best_possible   best score that an active beam could still reach, as estimated by `generate`; None where no beam is
                    active
    worst_finished  lowest score among the finished beams once there are `width` of them; None before that
    stop            stop reason: `length` (max_new_tokens reached), `context` (window full), `full` (early stopping:
                    `width` beams are finished), `bound` (best_possible is not above worst_finished), `ended` (no active
                    beam left); None while the search can continue
    """

    candidates: tuple[int, ...]
    active: tuple[int, ...]
    finished: tuple[int, ...]
    considered: int
    best_possible: float | None
    worst_finished: float | None
    stop: SearchStop | None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A finished beam: token ids and text, prompt included, and log-probability, score and index of its last node."""

    token_ids: tuple[int, ...]
    text: str
    log_probability: float
    score: float
    node: int
