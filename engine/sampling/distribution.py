"""Next-token distribution: logits filtered in the order of `generate`, and reproducible sampling from them.

The filters are the logits processors of `transformers`, applied one after another, so that each removed token is
attributed to the filter that removed it. No model runs here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from engine.errors import nothing_left_error
from engine.sampling.logits_processors import FILTERS, RESHAPING, processors
from engine.sampling.settings import Filter, Settings


class Distribution:
    """Next-token distribution after one text, before and after the filters.

    logits         (V,) float32, of the model
    raw            (V,) float32, softmax of logits
    scaled         (V,) float32, logits after penalties and temperature only
    scores         (V,) float32, logits after every filter; -inf where removed
    probabilities  (V,) float32, softmax of scores; sums to 1
    order          (V,) token ids by descending raw probability, ties by id; used for bars and draws
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
        self._removed_by = np.zeros(len(self.logits), dtype=np.int8)  # (V,) 0 = kept, else 1 + index in FILTERS
        for name, processor in processors(self.settings):
            before = scores
            scores = processor(ids, before.clone())  # some processors write in place
            removed = torch.isneginf(scores) & ~torch.isneginf(before)  # (1, V)
            self._removed_by[removed[0].numpy()] = 1 + FILTERS.index(name)
            if isinstance(processor, RESHAPING):
                scaled = processor(ids, scaled.clone())
        self.scaled: np.ndarray = scaled[0].numpy()  # (V,)
        self.scores: np.ndarray = scores[0].numpy()  # (V,) -inf where removed
        if self._removed_by.all():
            raise nothing_left_error()
        self.probabilities: np.ndarray = torch.softmax(scores[0], dim=-1).numpy()  # (V,)

    @property
    def size(self) -> int:
        """Number of tokens in the vocabulary."""
        return len(self.logits)

    @cached_property
    def order(self) -> np.ndarray:
        """Token ids by descending raw probability, (V,) int64; ties by id."""
        return np.argsort(-self.logits, kind="stable")

    @cached_property
    def _ranks(self) -> np.ndarray:
        ranks = np.empty(self.size, dtype=np.int64)
        ranks[self.order] = np.arange(1, self.size + 1)
        return ranks

    @cached_property
    def entropy(self) -> float:
        """Entropy of the raw distribution, in nats: -sum p ln p."""
        raw = self.raw.astype(np.float64)
        positive = raw[raw > 0]
        return float(-(positive * np.log(positive)).sum())

    @property
    def kept(self) -> int:
        """Number of tokens that pass all filters."""
        return int((self._removed_by == 0).sum())

    def candidate(self, token_id: int) -> Candidate:
        """Candidate for one token id. Raises IndexError for an id outside the vocabulary."""
        if not 0 <= token_id < self.size:
            raise IndexError(token_id)
        removed_by = int(self._removed_by[token_id])
        return Candidate(
            token_id=int(token_id),
            text=self._label(int(token_id)),
            logit=float(self.logits[token_id]),
            scaled=float(self.scaled[token_id]),
            raw=float(self.raw[token_id]),
            probability=float(self.probabilities[token_id]),
            kept=removed_by == 0,
            cut_by=FILTERS[removed_by - 1] if removed_by else None,
            rank=int(self._ranks[token_id]),
        )

    def top(self, n: int, also: int | None = None) -> list[Candidate]:
        """The n candidates of highest raw probability, in descending order; then `also`, if it is not among them."""
        ids = self.order[:n].tolist()
        return [self.candidate(token_id) for token_id in (ids if also is None or also in ids else [*ids, also])]

    def others(self, excluded: Sequence[int]) -> tuple[float, float]:
        """Sums of the raw probabilities, and of those after the filters, of all tokens except `excluded`."""
        rest = np.ones(self.size, dtype=bool)
        rest[list(excluded)] = False
        return float(self.raw[rest].sum(dtype=np.float64)), float(self.probabilities[rest].sum(dtype=np.float64))

    @cached_property
    def cumulative(self) -> np.ndarray:
        """Cumulative distribution after the filters along `order`, (V,) float64; the last is 1."""
        total = np.cumsum(self.probabilities[self.order].astype(np.float64))
        return total / total[-1]

    @cached_property
    def raw_cumulative(self) -> np.ndarray:
        """Cumulative raw distribution along `order`, (V,) float64; the last is 1."""
        total = np.cumsum(self.raw[self.order].astype(np.float64))
        return total / total[-1]

    @property
    def last_kept_rank(self) -> int:
        """Largest rank among the tokens that pass all filters."""
        return int(np.flatnonzero(self._removed_by[self.order] == 0)[-1]) + 1

    def interval(self, token_id: int) -> tuple[float, float]:
        """Interval [low, high) of a token in the cumulative distribution; `draw(u)` returns it for every u in there."""
        index = int(self._ranks[token_id]) - 1
        return (float(self.cumulative[index - 1]) if index else 0.0), float(self.cumulative[index])

    def draw(self, u: float) -> int:
        """Inverse of the cumulative distribution: the token whose interval contains `u`, 0 <= u < 1."""
        return int(self.order[np.searchsorted(self.cumulative, u, side="right")])

    def argmax(self) -> int:
        """Token with the highest score after the filters; of equal scores the lowest id, as argmax."""
        return int(self.scores.argmax())


def uniform(seed: int, position: int) -> float:
    """Uniform random number in [0, 1) for the draw at a position: a pure function of seed and position.

    Upper 53 bits of the first word of Philox4x64-10 (Salmon et al. 2011) with the seed as key and the position as
    counter; numpy guarantees this stream in every version. Raises ValueError for negative arguments.
    """
    if seed < 0 or position < 0:
        raise ValueError("seed and position must not be negative")
    word = int(np.random.Philox(key=seed, counter=position).random_raw())
    return (word >> 11) * 2.0**-53


@dataclass(frozen=True, slots=True)
class Candidate:
    """Candidate for the next token, with its values before and after the filters.

    text         readable string
    logit        of the model
    scaled       logit after penalties and temperature, before any token is removed
    raw          softmax of `logit` over the whole vocabulary: the model's own probability
    probability  after every filter; 0 if removed
    kept         whether it passes all filters
    cut_by       filter that removed it, None if it was kept
    rank         by raw probability, 1 is the highest
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
