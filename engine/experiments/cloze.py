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
from engine.errors import EngineError, PromptError, not_finite_error
from engine.model.chunked_prefill import TextScoring
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


@dataclass(frozen=True, slots=True)
class _Tokenized:
    """A candidate and its sentence: the fields of `ScoredCandidate` that need no model."""

    text: str
    token_ids: tuple[int, ...]
    first: int
    last: int
    joined: bool


class ClozeScoring:
    """Incremental scoring of every candidate for the gap of a sentence; a step is one forward pass. Not thread-safe.

    done  whether all candidates are scored, or the scoring was stopped

    Candidates are stripped of white space and deduplicated. Raises EngineError: `gap`, `candidates` (fewer than two
    different ones, or more than `MAX_CANDIDATES`), `characters` or `context` (too long), `surrogate`, `not_finite`, and
    the errors of the usage hooks (`engine.usage`).
    """

    def __init__(self, model: Model, sentence: str, candidates: Sequence[str]) -> None:
        if len(sentence) > MAX_CHARACTERS:
            raise PromptError("characters", "too long", count=len(sentence), most=MAX_CHARACTERS)
        usage.check_prompt(sentence)
        self._left, space, self._right = parts(sentence)
        texts = list(dict.fromkeys(c.strip() for c in candidates if c.strip()))
        if not 2 <= len(texts) <= MAX_CANDIDATES:
            raise EngineError("candidates", f"{len(texts)} different candidates", count=len(texts), most=MAX_CANDIDATES)
        self._left_ids = model.encode(self._left)
        usage.check_length(sentence, len(model.encode(sentence)))
        self._candidates = [_tokenize(model, self._left, space, text, self._right) for text in texts]
        for candidate in self._candidates:
            model.check_text(candidate.token_ids)
        self._model = model
        self._scores: list[tuple[float, ...]] = []  # log-probabilities from `first` on, of the candidates scored so far
        self._scoring: TextScoring | None = None  # of the next candidate
        self.done = False

    @property
    def progress(self) -> float:
        """Fraction of the work that is done, from 0 to 1."""
        part = self._scoring.progress if self._scoring else 0.0
        return 1.0 if self.done else (len(self._scores) + part) / len(self._candidates)

    def step(self) -> bool:
        """Run one forward pass. True while candidates remain. Raises EngineError."""
        if self.done:
            return False
        candidate = self._candidates[len(self._scores)]
        if self._scoring is None:
            self._scoring = TextScoring(self._model, candidate.token_ids)
        if not self._scoring.step():
            values = self._scoring.score.log_probabilities[candidate.first :]
            self._scores.append(tuple(value for value in values if value is not None))
            self._scoring = None
        self.done = len(self._scores) == len(self._candidates)
        return not self.done

    def stop(self) -> None:
        """End the scoring; the candidates scored so far remain."""
        self.done = True

    @property
    def result(self) -> Cloze | None:
        """Scores of the candidates scored so far; None for fewer than two, which cannot be compared."""
        if len(self._scores) < 2:
            return None
        scored = [*zip(self._candidates, self._scores, strict=False)]
        log_left = np.array([math.fsum(values[: c.last - c.first]) for c, values in scored])
        log_right = np.array([math.fsum(values[c.last - c.first :]) for c, values in scored])
        left_alone, whole = _normalized(log_left), _normalized(log_left + log_right)
        results = tuple(
            ScoredCandidate(
                c.text, c.token_ids, c.first, c.last, c.joined, float(log_left[i]), float(log_right[i]),
                left_alone[i], whole[i], values,
            )
            for i, (c, values) in enumerate(scored)
        )  # fmt: skip
        return Cloze(self._left, self._right, self._left_ids, results)


def fill(model: Model, sentence: str, candidates: Sequence[str]) -> Cloze:
    """Scores of every candidate for the gap of a sentence. Raises as `ClozeScoring`."""
    scoring = ClozeScoring(model, sentence, candidates)
    while scoring.step():
        pass
    assert scoring.result is not None
    return scoring.result


def _tokenize(model: Model, left: str, space: str, text: str, right: str) -> _Tokenized:
    candidate = space + text
    ids, left_ids = model.encode(left + candidate + right), model.encode(left)
    with_candidate = model.encode(left + candidate)
    joined = ids[: len(left_ids)] == left_ids and ids[: len(with_candidate)] == with_candidate
    first, last = len(left_ids), len(with_candidate)
    if not joined:
        start = len(model.vocabulary.start)
        middle = model.encode(candidate)[start:]
        ids, last = (*left_ids, *middle, *model.encode(right)[start:]), first + len(middle)
    return _Tokenized(text, ids, first, last, joined)


def _normalized(log_probabilities: np.ndarray) -> list[float]:
    """Softmax of log-probabilities, (C,) -> C floats that sum to 1; EngineError(`not_finite`) if all are -inf."""
    if not np.isfinite(log_probabilities.max()):
        raise not_finite_error("the log-probabilities of the candidates")
    scaled = np.exp(log_probabilities - log_probabilities.max())
    return [float(probability) for probability in scaled / scaled.sum()]
