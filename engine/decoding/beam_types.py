"""Settings and results of beam search: nodes, levels and finished hypotheses. No tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import SettingsError
from engine.sampling.settings import RANGES, Settings, check_ranges

NodeStatus = Literal["kept", "pruned", "finished"]


SearchStop = Literal["length", "context", "full", "bound", "ended"]


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
        check_ranges(self, BEAM_RANGES)
        if self.early_stopping not in (True, False, "never"):
            raise SettingsError("early_stopping", f"early_stopping cannot be {self.early_stopping!r}")

    @property
    def penalties(self) -> Settings:
        """What changes the model's distribution during the search."""
        return Settings(repetition_penalty=self.repetition_penalty, no_repeat_ngram_size=self.no_repeat_ngram_size)


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
    status: NodeStatus
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
    active: tuple[int, ...]
    finished: tuple[int, ...]
    considered: int
    best_possible: float | None
    worst_finished: float | None
    stop: SearchStop | None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A finished beam: its tokens (prompt included), its text, and the numbers of its last node."""

    token_ids: tuple[int, ...]
    text: str
    log_probability: float
    score: float
    node: int
