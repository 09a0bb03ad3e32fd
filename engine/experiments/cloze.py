"""Cloze scoring with a causal language model: candidates for a gap, by left context alone and by the whole sentence.

A causal model fills a gap by P(candidate | left); it cannot condition on the text to the right. The completed sentence
can be scored afterwards, which gives each candidate P(candidate | left) · P(right | left, candidate). Renormalised
over the candidates this is P(candidate | left, right) by Bayes' rule, restricted to these candidates. All scores are
sums of token log-probabilities, so candidates may have several tokens. There is no length normalisation: the compared
quantity is the probability of the complete sentence.

Tokenization: left + candidate + right is encoded as one string. Where token boundaries fall on both edges of the
candidate, the log-probabilities of its tokens and of the right part are summed separately. Where a token spans an
edge, the three parts are encoded separately and concatenated (`joined` is False); such a token sequence is less
typical of the training data.

Encoder models such as BERT (Devlin et al. 2019) and encoder-decoders such as BART (Lewis et al. 2020) see both sides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import usage
from engine.errors import EngineError, PromptError, context_error
from engine.model.model import MAX_CHARACTERS, Model

MAX_CANDIDATES = 12  # candidates a call


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """Scores of one candidate.

    text               the candidate, stripped of white space
    token_ids          token ids of the completed sentence
    first, last        the candidate is token_ids[first:last]; the tokens before `first` are the left part
    joined             True: the sentence was encoded as one string; False: left part, candidate and right part
                       were encoded separately, because a token would have spanned an edge of the candidate
    log_left           log P(candidate | left), in nats
    log_right          log P(right | left, candidate), in nats
    left_alone         P(candidate | left), normalised over the candidates
    whole              P(candidate | left) · P(right | left, candidate), normalised over the candidates
    log_probabilities  log-probability of each token from `first` on, in nats
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
    """Scores of all candidates (`candidates`, in the given order) and the token ids of the left part."""

    left: str
    right: str
    left_ids: tuple[int, ...]
    candidates: tuple[ScoredCandidate, ...]

    @property
    def from_left(self) -> ScoredCandidate:
        """Candidate of the highest P(candidate | left)."""
        return max(self.candidates, key=lambda f: f.log_left)

    @property
    def from_both(self) -> ScoredCandidate:
        """Candidate of the highest P(candidate, right | left)."""
        return max(self.candidates, key=lambda f: f.log_left + f.log_right)


def parts(sentence: str) -> tuple[str, str, str]:
    """Split of a sentence at its one gap (a run of `_` or `＿`): left part, spaces before the gap, right part.

    The spaces before the gap are prepended to each candidate, since tokens include the space before their word. Raises
    EngineError(`gap`) unless there is exactly one gap with text to its left.
    """
    segments = re.split("[_＿]+", sentence)
    if len(segments) != 2 or not segments[0].strip():
        raise EngineError("gap", "a sentence needs one gap, with words before it")
    left, right = segments
    stripped = left.rstrip(" ")
    return stripped, left[len(stripped) :], right


def fill(model: Model, sentence: str, candidates: Sequence[str]) -> Cloze:
    """Scores of every candidate for the gap of a sentence.

    Candidates are stripped of white space and deduplicated. Raises EngineError: `gap`, `candidates` (fewer than two
    different ones, or more than `MAX_CANDIDATES`), `characters` or `context` (too long), `surrogate`, and the errors of
    the usage hooks (`engine.usage`).
    """
    if len(sentence) > MAX_CHARACTERS:
        raise PromptError("characters", "too long", count=len(sentence), most=MAX_CHARACTERS)
    usage.check_prompt(sentence)
    left, space, right = parts(sentence)
    unique = list(dict.fromkeys(c.strip() for c in candidates if c.strip()))
    if not 2 <= len(unique) <= MAX_CANDIDATES:
        raise EngineError("candidates", f"{len(unique)} different candidates", count=len(unique), most=MAX_CANDIDATES)
    left_ids = model.encode(left)
    usage.check_length(sentence, len(model.encode(sentence)))
    usage.charge(len(unique))
    scored = [_score(model, left, space + text, right) for text in unique]
    log_left = np.array([math.fsum(values[: last - first]) for _, first, last, _, values in scored])
    log_right = np.array([math.fsum(values[last - first :]) for _, first, last, _, values in scored])
    left_alone, whole = _normalized(log_left), _normalized(log_left + log_right)
    results = tuple(
        ScoredCandidate(
            text, ids, first, last, joined, float(log_left[i]), float(log_right[i]), left_alone[i], whole[i], values
        )
        for i, (text, (ids, first, last, joined, values)) in enumerate(zip(unique, scored, strict=True))
    )
    return Cloze(left, right, left_ids, results)


def _score(
    model: Model, left: str, candidate: str, right: str
) -> tuple[tuple[int, ...], int, int, bool, tuple[float, ...]]:
    """(token ids, first, last, joined, log-probabilities), as in `ScoredCandidate`. Raises PromptError(`context`)."""
    ids, left_ids = model.encode(left + candidate + right), model.encode(left)
    with_candidate = model.encode(left + candidate)
    joined = ids[: len(left_ids)] == left_ids and ids[: len(with_candidate)] == with_candidate
    first, last = len(left_ids), len(with_candidate)
    if not joined:
        start = len(model.vocabulary.start)
        middle = model.encode(candidate)[start:]
        ids, last = (*left_ids, *middle, *model.encode(right)[start:]), first + len(middle)
    if len(ids) > model.context_length:
        raise context_error(len(ids), model.context_length)
    values = model.score(ids).log_probabilities[first:]
    return ids, first, last, joined, tuple(value for value in values if value is not None)


def _normalized(log_probabilities: np.ndarray) -> list[float]:
    """Softmax of log-probabilities, (C,) -> C floats that sum to 1."""
    scaled = np.exp(log_probabilities - log_probabilities.max())
    return [float(probability) for probability in scaled / scaled.sum()]
