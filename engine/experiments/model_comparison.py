"""Comparison of two language models after the same text: next-token distributions by text, and bits per character.

The models may have different vocabularies. Their tokens are matched by what they write, see `vocabulary_match.py`. What
one vocabulary has no token for may still be written by the model, with several tokens: its probability there is
unknown, not 0. Hence the divergence is that of the shared part, and the probability outside it is reported beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import not_finite_error
from engine.model.model import Model
from engine.sampling.distribution import descending_order
from engine.tokenization.vocabulary_match import match

_MAX_PARTS = 4  # tokens of a character, as its bytes in UTF-8


@dataclass(frozen=True, slots=True)
class Row:
    """A possible next piece of text and its probability under each model; None where the vocabulary has no such token.

    label    readable string
    text     the characters that it writes; None for a special token and a part of a character
    """

    label: str
    text: str | None
    first: float | None
    second: float | None

    @property
    def shared(self) -> bool:
        """Whether both vocabularies have it."""
        return self.first is not None and self.second is not None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two next-token distributions after the same text.

    rows            the likeliest by either model, by the larger of the two probabilities
    divergence      Jensen–Shannon divergence of the shared part, in bits, 0 to 1, see `compare`; None where one of the
                    models has no probability there
    first_outside   probability that the first model gives to tokens which the second vocabulary lacks
    second_outside  the reverse
    shared          number of rows that both vocabularies have
    equal           whether the vocabularies are equal
    """

    rows: tuple[Row, ...]
    divergence: float | None
    first_outside: float
    second_outside: float
    shared: int
    equal: bool


def jensen_shannon(first: np.ndarray, second: np.ndarray) -> float:
    """Jensen–Shannon divergence of two distributions over the same rows, in bits: 0 if equal, 1 if disjoint.

    JSD = KL(p ‖ m) / 2 + KL(q ‖ m) / 2 with m = (p + q) / 2 (Lin 1991, Divergence measures based on the Shannon
    entropy). Each argument is divided by its sum first. Raises EngineError(`not_finite`).
    """
    sums = float(first.sum(dtype=np.float64)), float(second.sum(dtype=np.float64))
    if not all(math.isfinite(total) and total > 0 for total in sums):
        raise not_finite_error("the probabilities")
    p, q = first.astype(np.float64) / sums[0], second.astype(np.float64) / sums[1]
    middle = (p + q) / 2
    total = 0.0
    for part in (p, q):
        at = part > 0
        total += float((part[at] * np.log2(part[at] / middle[at])).sum()) / 2
    return min(max(total, 0.0), 1.0)  # rounding


def compare(
    first: Model, first_ids: Sequence[int], second: Model, second_ids: Sequence[int], count: int = 10
) -> Comparison:
    """Comparison of two models after the same text, whose tokens are `first_ids` and `second_ids`.

    Let S be the rows that both vocabularies have, and p(S), q(S) the probability of S under each model. The divergence
    is that of the distributions given that the next token is in S, p(x) / p(S) and q(x) / q(S) for x in S. Of equal
    vocabularies S is everything, and this is the usual divergence. 1 − p(S) and 1 − q(S) are `first_outside` and
    `second_outside`; the larger they are, the less the divergence says of the whole distributions.

    Raises EngineError(`not_finite`), and PromptError as `Model.distribution`.
    """
    matched = match(first.vocabulary, second.vocabulary)
    size = len(matched.shared)
    raw, other_raw = first.distribution(first_ids).raw, second.distribution(second_ids).raw  # (V1,), (V2,)
    p = np.bincount(matched.first, raw, size)  # (R,) float64
    q = np.bincount(matched.second, other_raw, size)
    in_first, in_second = np.zeros(size, bool), np.zeros(size, bool)
    in_first[matched.first] = in_second[matched.second] = True
    shared = matched.shared
    both = p[shared].sum() > 0 and q[shared].sum() > 0
    top = descending_order(np.maximum(p, q).astype(np.float32))[:count]
    rows = []
    for row in top.tolist():
        model, tokens, of = (first, matched.first, raw) if in_first[row] else (second, matched.second, other_raw)
        token_ids = np.flatnonzero(tokens == row)
        token_id = int(token_ids[of[token_ids].argmax()])
        rows.append(
            Row(
                model.vocabulary.label(token_id),
                written_text(model, [token_id]),
                float(p[row]) if in_first[row] else None,
                float(q[row]) if in_second[row] else None,
            )
        )
    return Comparison(
        tuple(rows),
        jensen_shannon(p[shared], q[shared]) if both else None,
        float(p[~shared].sum() / p.sum()),
        float(q[~shared].sum() / q.sum()),
        int(shared.sum()),
        matched.equal,
    )


def written_text(model: Model, ids: Sequence[int]) -> str | None:
    """Characters that tokens write; None for special tokens, ids without a token, and parts of characters."""
    vocabulary = model.vocabulary
    if any(i in vocabulary.special or i in model.end_ids or not vocabulary.has(i) for i in ids):
        return None
    try:
        return b"".join(vocabulary.token_bytes(i) for i in ids).decode() or None
    except UnicodeDecodeError:
        return None


def next_text(model: Model, ids: Sequence[int]) -> str | None:
    """Characters that greedy search writes next: those of one token, or of as many as a character takes.

    None where the model ends the text or writes no whole character. Raises PromptError(`context`).
    """
    written: list[int] = []
    for _ in range(_MAX_PARTS):
        written.append(model.distribution([*ids, *written]).argmax())
        if written_text(model, written):
            return model.continuation(ids, written) or None
        if not model.vocabulary.pending([*ids, *written]):
            break
    return None


@dataclass(frozen=True, slots=True)
class LockstepStep:
    """One step of both models: the text that the leader appended, and the comparison from which it was chosen."""

    text: str
    comparison: Comparison


class Lockstep:
    """Two models along one text that one of them continues by greedy search; a step compares and appends once.

    The text is kept as characters and encoded for each model anew, so that both always read the same text.

    text   the text so far
    steps  one `LockstepStep` for each text that was appended
    ended  whether the leader has ended the text, or writes no whole character
    done   whether there is nothing more to do
    """

    def __init__(self, first: Model, second: Model, text: str, leader: int, count: int) -> None:
        self._models: tuple[Model, Model] | None = first, second  # None once it is done, so that they can be unloaded
        self._leader, self._count = leader, count
        self.text = text
        self.steps: list[LockstepStep] = []
        self.ended = self.done = False

    @property
    def progress(self) -> float:
        """Fraction of the work that is done, from 0 to 1."""
        return 1.0 if self.done else len(self.steps) / self._count

    def step(self) -> bool:
        """Compare and append once. True while more remains. Raises EngineError; the steps so far remain."""
        if self._models is None:
            return False
        first, second = self._models
        ids = first.encode(self.text), second.encode(self.text)
        comparison = compare(first, ids[0], second, ids[1])
        appended = next_text(self._models[self._leader], ids[self._leader])
        if appended is None:
            self.ended = True
            self.stop()
            return False
        self.text += appended
        self.steps.append(LockstepStep(appended, comparison))
        if len(self.steps) >= self._count:
            self.stop()
        return not self.done

    def stop(self) -> None:
        """End it; the steps so far remain."""
        self.done, self._models = True, None
