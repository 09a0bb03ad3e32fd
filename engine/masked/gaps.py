"""Gaps in a text, and what fills them: from both sides by a masked model, from the left alone by a causal one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.masked.masked_model import MaskedModel
    from engine.model.model import Model

MOST_GAPS = 8
_GAP = re.compile("[_＿]")
_SPACES = re.compile(" +(?=[_＿])")


@dataclass(frozen=True, slots=True)
class GapText:
    """A text with hidden tokens.

    ids     token ids, `<mask>` at the places in `gaps` that are not filled
    gaps    places of all gaps
    filled  token ids by place, of the gaps that are filled
    """

    ids: tuple[int, ...]
    gaps: tuple[int, ...]
    filled: dict[int, int]

    def fill(self, place: int, token_id: int) -> GapText:
        """With a gap filled, or filled by another token. Raises EngineError(`gap`) for a place that is none."""
        if place not in self.gaps:
            raise EngineError("gap", f"{place} is no gap")
        ids = (*self.ids[:place], token_id, *self.ids[place + 1 :])
        return replace(self, ids=ids, filled=self.filled | {place: token_id})

    def open(self, place: int, mask: int) -> GapText:
        """With a gap that is hidden again."""
        filled = {at: token for at, token in self.filled.items() if at != place}
        return replace(self, ids=(*self.ids[:place], mask, *self.ids[place + 1 :]), filled=filled)


def read(model: MaskedModel, sentence: str) -> GapText:
    """A sentence with `_` or `＿` for each hidden token. Raises EngineError: `gaps` (value: `most`), and as `encode`.

    The spaces before a gap are left out, since tokens include the space before their word.
    """
    parts = _GAP.split(_SPACES.sub("", sentence))
    if not 2 <= len(parts) <= MOST_GAPS + 1:
        raise EngineError("gaps", f"{len(parts) - 1} gaps", most=MOST_GAPS)
    ids: tuple[int, ...] = ()
    gaps: list[int] = []
    for at, part in enumerate(parts):
        if at:
            gaps.append(len(ids))
            ids = (*ids, model.mask)
        ids = (*ids, *model.encode(part)) if part else ids
    model.check_length(ids)
    return GapText(ids, tuple(gaps), {})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token for a gap. Probabilities: from both sides; from the left alone, None where nothing is on the left."""

    token_id: int
    both: float
    left: float | None


@dataclass(frozen=True, slots=True)
class GapResult:
    """What fills one gap: the tokens that are most probable from either view, the most probable from both sides first.

    entropy_both, entropy_left  in bits
    """

    place: int
    candidates: tuple[Candidate, ...]
    entropy_both: float
    entropy_left: float | None


def both_sides(model: MaskedModel, text: GapText, place: int) -> np.ndarray:
    """Probabilities of all tokens at a gap, hidden if it is filled, given everything else, (V,)."""
    hidden = text.open(place, model.mask)
    probabilities: np.ndarray = np.exp(model.log_probabilities(hidden.ids, [place])[0])
    return probabilities


def left_alone(causal: Model, text: GapText, place: int, mask: int) -> np.ndarray | None:
    """Probabilities of all tokens at a gap, given the text to its left by a causal model, (V,); None for no text.

    None as well where another gap on the left is not filled.
    """
    left = text.ids[:place]
    if not left or mask in left:
        return None
    probabilities: np.ndarray = causal.distribution(left).raw
    return probabilities


def fill_in(model: MaskedModel, causal: Model, text: GapText, place: int, count: int = 6) -> GapResult:
    """The `count` most probable tokens of each view at a gap. One pass of each model.

    The causal model must have the tokens of the masked one, except for `<mask>`.
    """
    both = both_sides(model, text, place)
    left = left_alone(causal, text, place, model.mask)
    likely = [*_most(both, count), *(_most(left, count) if left is not None else [])]
    order = sorted(dict.fromkeys(likely), key=lambda i: -both[i])
    candidates = tuple(
        Candidate(i, float(both[i]), None if left is None else float(left[i]) if i < len(left) else 0.0) for i in order
    )
    return GapResult(place, candidates, _bits(both), None if left is None else _bits(left))


def _most(probabilities: np.ndarray, count: int) -> list[int]:
    return [int(i) for i in np.argsort(-probabilities, kind="stable")[:count]]


def _bits(probabilities: np.ndarray) -> float:
    """Entropy in bits."""
    positive = probabilities[probabilities > 0]
    return float(-(positive * np.log2(positive)).sum())


def candidate_texts(model: MaskedModel, result: GapResult) -> Sequence[str]:
    """The texts of the candidates, stripped of white space, without those that have none."""
    texts = (model.text((candidate.token_id,)).strip() for candidate in result.candidates)
    return [text for text in dict.fromkeys(texts) if text and "\ufffd" not in text]
