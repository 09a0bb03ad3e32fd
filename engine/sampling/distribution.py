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

from engine.errors import not_finite_error, nothing_left_error
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

    Raises EngineError: `not_finite` if the logits define no distribution (NaN, +inf, or -inf for every token) or a
    filter overflows, `nothing_left` if the filters remove every token.
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
        self.raw: np.ndarray = softmax(torch.from_numpy(logits))  # (V,)
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
        self.probabilities: np.ndarray = softmax(scores[0])  # (V,)

    @property
    def size(self) -> int:
        """Number of tokens in the vocabulary."""
        return len(self.logits)

    @cached_property
    def order(self) -> np.ndarray:
        """Token ids by descending raw probability, (V,) int64; ties by id."""
        return descending_order(self.logits)

    @cached_property
    def entropy(self) -> float:
        """Entropy of the raw distribution, in nats: -sum p ln p."""
        raw = self.raw.astype(np.float64)
        positive = raw[raw > 0]
        return float(-(positive * np.log(positive)).sum())

    @property
    def unseen(self) -> float:
        """Probability of all tokens together of which no single probability is known, see `ListedDistribution`."""
        return 0.0

    @property
    def is_exact(self) -> bool:
        """Whether the probabilities after the filters are those of the whole vocabulary."""
        return True

    @property
    def known(self) -> int:
        """Number of tokens whose single probabilities are known."""
        return self.size

    def knows(self, token_id: int) -> bool:
        """Whether the probability of a token is known."""
        return True

    def with_settings(self, settings: Settings) -> Distribution:
        """The same logits under other settings."""
        return Distribution(self.token_ids, self.logits, settings, self._label)

    @property
    def kept(self) -> int:
        """Number of tokens that pass all filters."""
        return int((self._removed_by == 0).sum())

    def candidate(self, token_id: int) -> Candidate:
        """Candidate for one token id. Raises IndexError for an id outside the vocabulary."""
        if not 0 <= token_id < self.size:
            raise IndexError(token_id)
        return self._candidate(token_id, self._rank(token_id))

    def _rank(self, token_id: int) -> int:
        """Position of a token in `order`, from 1, without sorting."""
        value = self.logits[token_id]
        return int((self.logits > value).sum() + (self.logits[:token_id] == value).sum()) + 1

    def _candidate(self, token_id: int, rank: int) -> Candidate:
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
            rank=rank,
        )

    def top(self, n: int, also: int | None = None) -> list[Candidate]:
        """The n candidates of highest raw probability, in descending order; then `also`, if it is not among them."""
        ids = self._top_ids(n).tolist()
        candidates = [self._candidate(token_id, rank) for rank, token_id in enumerate(ids, 1)]
        return candidates if also is None or also in ids else [*candidates, self.candidate(also)]

    def _top_ids(self, n: int) -> np.ndarray:
        """`order[:n]`; for a small part of the vocabulary without sorting the rest."""
        if not 0 < n < self.size // 2:
            return self.order[:n]
        least = np.partition(self.logits, -n)[-n]
        ids = np.flatnonzero(self.logits >= least)  # more than n where tokens tie with the last
        return ids[descending_order(self.logits[ids])][:n]

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
        index = self._rank(token_id) - 1
        return (float(self.cumulative[index - 1]) if index else 0.0), float(self.cumulative[index])

    def draw(self, u: float) -> int:
        """Inverse of the cumulative distribution: the token whose interval contains `u`, 0 <= u < 1."""
        ids, cumulative = self._drawable
        return int(ids[np.searchsorted(cumulative, u, side="right")])

    @cached_property
    def _drawable(self) -> tuple[np.ndarray, np.ndarray]:
        """`order` and `cumulative` without the tokens of probability 0, whose intervals are empty."""
        ids = np.flatnonzero(self.probabilities)
        ids = ids[descending_order(self.logits[ids])]
        total = np.cumsum(self.probabilities[ids].astype(np.float64))
        return ids, total / total[-1]

    def argmax(self) -> int:
        """Token with the highest score after the filters; of equal scores the lowest id, as argmax."""
        return int(self.scores.argmax())


def descending_order(values: np.ndarray) -> np.ndarray:
    """Indices of float32 values, largest value first, ties by index: `np.argsort(-values, kind="stable")`, (n,) int64.

    The bits of value and index are sorted as one integer, which takes an eighth of the time of a stable sort.
    """
    bits = (values + np.float32(0)).view(np.int32)  # -0.0 + 0 is 0.0
    descending = ~(bits ^ ((bits >> 31) | np.int32(-(2**31))))  # as unsigned: the larger the value, the smaller
    keys = descending.view(np.uint32).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(len(values), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def softmax(scores: torch.Tensor) -> np.ndarray:
    """Probabilities of the scores, (V,) float32. Raises EngineError(`not_finite`) where there are none.

    Computed in float64: over 150,000 tokens, a float32 sum loses so many small terms that the fifth digit is wrong.
    """
    probabilities: np.ndarray = torch.softmax(scores, dim=-1, dtype=torch.float64).float().numpy()
    if np.isnan(probabilities.sum()):
        raise not_finite_error("the logits")
    return probabilities


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
