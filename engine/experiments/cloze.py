"""A gap in a sentence, filled from the left alone and with the whole sentence in sight.

A model that reads from left to right fills a gap by P(candidate | left). What stands right of the gap it cannot ask;
but a whole sentence can be scored afterwards, which weighs each candidate by P(candidate | left) · P(right | left,
candidate). Renormalised over the candidates this is P(candidate | left, right) by Bayes' rule, among these candidates
alone. All of it are sums of log-probabilities of tokens, so a candidate of several tokens is right; it is not helped
for being short or long, as what counts is the probability of the same sentence with it.

Tokens: left + candidate + right is cut into tokens as a whole, as it would be read. Where the cut falls on both edges
of the candidate, its tokens and those of the right part are summed apart. Where a token reaches over an edge, the
three parts are cut each on its own and put together, which the model has seen more seldom: `joined` says so.

Encoder models such as BERT (Devlin et al. 2019) and encoder-decoders such as BART (Lewis et al. 2020) see both sides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import usage
from engine.errors import EngineError, PromptError
from engine.model.model import MAX_CHARACTERS, Model

MOST = 12  # candidates


@dataclass(frozen=True, slots=True)
class Filled:
    """One candidate in the gap.

    text         as it was given
    token_ids    of the whole sentence with it
    first, last  its tokens are token_ids[first:last]; what is left of them is the left part
    joined       whether the whole sentence was cut at its edges; False: the parts were cut each on its own
    log_left     log P(candidate | left), in nats
    log_right    log P(right | left, candidate)
    left_alone   P(candidate | left) as a share of that of all candidates
    whole        P(candidate | left) · P(right | left, candidate) as a share of that of all candidates
    log_probabilities  one a token from `first` on
    """

    text: str
    token_ids: tuple[int, ...]
    first: int
    last: int
    joined: bool
    log_left: float
    log_right: float
    left_alone: float
    whole: float
    log_probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cloze:
    """`filled`: in the order of the candidates. `left_ids`: the left part alone."""

    left: str
    right: str
    left_ids: tuple[int, ...]
    filled: tuple[Filled, ...]

    @property
    def from_left(self) -> Filled:
        """The candidate that the left part prefers."""
        return max(self.filled, key=lambda f: f.log_left)

    @property
    def from_both(self) -> Filled:
        """The candidate with which the whole sentence is likeliest."""
        return max(self.filled, key=lambda f: f.log_left + f.log_right)


def parts(sentence: str) -> tuple[str, str, str]:
    """Left part, what goes before each candidate, right part of a sentence with one gap, a run of `_` or `＿`.

    A space before the gap goes with the candidate, as tokens carry the space before their word. Raises EngineError
    (`gap`) where there is not one gap, or nothing left of it.
    """
    around = re.split("[_＿]+", sentence)
    if len(around) != 2 or not around[0].strip():
        raise EngineError("gap", "a sentence needs one gap, with words before it")
    left, right = around
    bare = left.rstrip(" ")
    return bare, left[len(bare) :], right


def fill(model: Model, sentence: str, candidates: Sequence[str]) -> Cloze:
    """Score every candidate in the sentence's gap.

    Candidates are stripped of white space; the same one twice counts once. Raises EngineError `gap`, `candidates`
    (fewer than two different ones, or more than `MOST`), `characters` or `context` (too long), `surrogate`, and what
    `door` refuses a visitor.
    """
    if len(sentence) > MAX_CHARACTERS:
        raise PromptError("characters", "too long", count=len(sentence), most=MAX_CHARACTERS)
    usage.check_prompt(sentence)
    left, space, right = parts(sentence)
    different = list(dict.fromkeys(c.strip() for c in candidates if c.strip()))
    if not 2 <= len(different) <= MOST:
        raise EngineError("candidates", f"{len(different)} different candidates", count=len(different), most=MOST)
    left_ids = model.encode(left)
    usage.check_length(sentence, len(model.encode(sentence)))
    usage.charge(len(different))
    scored = [_score(model, left, space + text, right) for text in different]
    log_left = np.array([math.fsum(values[: last - first]) for _, first, last, _, values in scored])
    log_right = np.array([math.fsum(values[last - first :]) for _, first, last, _, values in scored])
    left_alone, whole = _shares(log_left), _shares(log_left + log_right)
    filled = tuple(
        Filled(text, ids, first, last, joined, float(log_left[i]), float(log_right[i]), left_alone[i], whole[i], values)
        for i, (text, (ids, first, last, joined, values)) in enumerate(zip(different, scored, strict=True))
    )
    return Cloze(left, right, left_ids, filled)


def _score(
    model: Model, left: str, candidate: str, right: str
) -> tuple[tuple[int, ...], int, int, bool, tuple[float, ...]]:
    """Tokens, the candidate's first and one past its last, whether the cut fell on its edges, log-probabilities."""
    ids, begins, ends = model.encode(left + candidate + right), model.encode(left), model.encode(left + candidate)
    joined = ids[: len(begins)] == begins and ids[: len(ends)] == ends
    first, last = len(begins), len(ends)
    if not joined:
        start = len(model.vocabulary.start)
        middle = model.encode(candidate)[start:]
        ids, last = (*begins, *middle, *model.encode(right)[start:]), first + len(middle)
    if len(ids) > model.context_length:
        raise PromptError("context", f"{len(ids)} tokens", count=len(ids), most=model.context_length)
    values = model.score(ids).log_probabilities[first:]
    return ids, first, last, joined, tuple(value for value in values if value is not None)


def _shares(log_probabilities: np.ndarray) -> list[float]:
    """(C,) probabilities as shares of their sum, from logarithms."""
    scaled = np.exp(log_probabilities - log_probabilities.max())
    return [float(share) for share in scaled / scaled.sum()]
