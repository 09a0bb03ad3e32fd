"""From logits to the token that is chosen: filters in `generate`'s order, and a draw that can be repeated.

The filters are `transformers`' own logits processors, applied one after another, so that each token that
is cut knows which of them cut it. This file does not run a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from engine.sampling.logits_processors import FILTERS, RESHAPING, processors
from engine.sampling.settings import Filter, Settings


class Distribution:
    """The next token's distribution after one text, before and after the filters.

    logits         (V,) float32, the model's
    raw            (V,) float32, softmax of logits
    probabilities  (V,) float32, after every filter; sums to 1
    order          (V,) token ids, likeliest first by raw; equal ones by id. Bars and draws use this order.
    """

    def __init__(
        self,
        token_ids: Sequence[int],
        logits: np.ndarray,
        settings: Settings,
        label: Callable[[int], str],
    ) -> None:
        self.token_ids = tuple(token_ids)
        self.settings = settings
        self.logits = logits
        self.raw: np.ndarray = torch.softmax(torch.from_numpy(logits), dim=-1).numpy()  # (V,)
        self._label = label
        self._apply_filters()

    def _apply_filters(self) -> None:
        ids = torch.tensor([self.token_ids], dtype=torch.long)  # (1, T)
        scores = scaled = torch.from_numpy(self.logits)[None]  # (1, V)
        self._cut = np.zeros(len(self.logits), dtype=np.int8)  # (V,) 0 = kept, else 1 + index in FILTERS
        for name, processor in processors(self.settings):
            before = scores
            scores = processor(ids, before.clone())  # some processors write in place
            cut = torch.isneginf(scores) & ~torch.isneginf(before)  # (1, V)
            self._cut[cut[0].numpy()] = 1 + FILTERS.index(name)
            if isinstance(processor, RESHAPING):
                scaled = processor(ids, scaled.clone())
        self.scaled: np.ndarray = scaled[0].numpy()  # (V,)
        self.scores: np.ndarray = scores[0].numpy()  # (V,) -inf where cut
        self.probabilities: np.ndarray = torch.softmax(scores[0], dim=-1).numpy()  # (V,)

    @property
    def size(self) -> int:
        """Number of tokens in the vocabulary."""
        return len(self.logits)

    @cached_property
    def order(self) -> np.ndarray:
        return np.argsort(-self.logits, kind="stable")

    @cached_property
    def _rank(self) -> np.ndarray:
        rank = np.empty(self.size, dtype=np.int64)
        rank[self.order] = np.arange(1, self.size + 1)
        return rank

    @cached_property
    def entropy(self) -> float:
        """Of what the model believes (raw), in nats: -sum p ln p."""
        raw = self.raw.astype(np.float64)
        positive = raw[raw > 0]
        return float(-(positive * np.log(positive)).sum())

    @property
    def kept(self) -> int:
        """How many tokens may be drawn."""
        return int((self._cut == 0).sum())

    def candidate(self, token_id: int) -> Candidate:
        """Everything known of one token. Raises IndexError for an id outside the vocabulary."""
        if not 0 <= token_id < self.size:
            raise IndexError(token_id)
        cut = int(self._cut[token_id])
        return Candidate(
            token_id=int(token_id),
            text=self._label(int(token_id)),
            logit=float(self.logits[token_id]),
            scaled=float(self.scaled[token_id]),
            raw=float(self.raw[token_id]),
            probability=float(self.probabilities[token_id]),
            kept=cut == 0,
            cut_by=FILTERS[cut - 1] if cut else None,
            rank=int(self._rank[token_id]),
        )

    def top(self, n: int, also: int | None = None) -> list[Candidate]:
        """The n likeliest by raw probability, likeliest first; then the token `also`, where it is not among them."""
        ids = self.order[:n].tolist()
        return [self.candidate(token_id) for token_id in (ids if also is None or also in ids else [*ids, also])]

    def others(self, shown: Sequence[int]) -> tuple[float, float]:
        """Raw probability, and probability after the filters, of all tokens but the `shown` ones together."""
        rest = np.ones(self.size, dtype=bool)
        rest[list(shown)] = False
        return float(self.raw[rest].sum(dtype=np.float64)), float(self.probabilities[rest].sum(dtype=np.float64))

    @cached_property
    def cumulative(self) -> np.ndarray:
        """(V,) float64: probabilities summed along `order`; the last is 1."""
        total = np.cumsum(self.probabilities[self.order].astype(np.float64))
        return total / total[-1]

    @cached_property
    def believed_cumulative(self) -> np.ndarray:
        """(V,) float64: raw probabilities summed along `order`; the last is 1."""
        total = np.cumsum(self.raw[self.order].astype(np.float64))
        return total / total[-1]

    @property
    def last_kept_rank(self) -> int:
        """The lowest rank (largest number) that may still be drawn."""
        return int(np.flatnonzero(self._cut[self.order] == 0)[-1]) + 1

    def interval(self, token_id: int) -> tuple[float, float]:
        """Where a token lies on the line from 0 to 1 on which `u` lands."""
        at = int(self._rank[token_id]) - 1
        return (float(self.cumulative[at - 1]) if at else 0.0), float(self.cumulative[at])

    def draw(self, u: float) -> int:
        """The token whose interval holds `u`, 0 <= u < 1: inverse of the cumulative distribution."""
        return int(self.order[np.searchsorted(self.cumulative, u, side="right")])

    def likeliest(self) -> int:
        """The token of the highest score after the filters; equal ones: the lowest id, as argmax."""
        return int(self.scores.argmax())


def uniform(seed: int, position: int) -> float:
    """The one number in [0, 1) that decides the draw at a position: a pure function of its two arguments.

    Philox4x64-10 (Salmon et al. 2011) with the seed as key and the position as counter, its first word's
    upper 53 bits; numpy keeps this stream the same in every version. Raises ValueError for negative numbers.
    """
    if seed < 0 or position < 0:
        raise ValueError("seed and position must not be negative")
    word = int(np.random.Philox(key=seed, counter=position).random_raw())
    return (word >> 11) * 2.0**-53


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
