"""Next-token distribution of which only a list of the most probable tokens is known, as servers give it.

The probability of all other tokens together is known exactly: what is missing to 1. How it is divided among them is
not; none of them is more probable than the last token of the list. Nothing outside of the list is ever drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch

from engine.errors import nothing_left_error
from engine.sampling.distribution import Candidate, Distribution, descending_order, softmax
from engine.sampling.logits_processors import FILTERS
from engine.sampling.settings import Settings

_UNLISTED = len(FILTERS) + 1  # in `_removed_by`, of tokens that no filter removes and that are not on the list


def dense_logits(token_ids: np.ndarray, log_probabilities: np.ndarray, size: int) -> np.ndarray:
    """(V,) float32 log-probabilities of a whole vocabulary, of which only those of the list `token_ids` are known.

    The others get equal shares of what is missing to 1, and always less than the last token of the list; -inf where
    nothing is missing. Arguments: (n,) int64 and (n,) float64.
    """
    rest = max(0.0, 1.0 - math.fsum(np.exp(log_probabilities)))
    count = size - len(token_ids)
    share = math.log(rest / count) if rest > 0 and count else -math.inf
    below = np.nextafter(np.float32(log_probabilities.min()), np.float32(-np.inf))
    logits = np.full(size, min(np.float32(share), below), dtype=np.float32)
    logits[token_ids] = log_probabilities
    return logits


class ListedDistribution(Distribution):
    """`Distribution` for the logits of `dense_logits`: `listed` are the (n,) ids of the tokens that are known.

    The list is one more filter, after all others: what they leave of the tokens outside it is removed as well, so that
    the probabilities are those of the draw. Where the filters alone remove all of these, they are the probabilities of
    the whole vocabulary, see `is_exact`.
    """

    def __init__(
        self, token_ids: Sequence[int], logits: np.ndarray, settings: Settings, label: Callable[[int], str],
        listed: np.ndarray,
    ) -> None:  # fmt: skip
        self.listed = listed
        self._known = np.zeros(len(logits), dtype=bool)  # (V,)
        self._known[listed] = True
        super().__init__(token_ids, logits, settings, label)
        # They are log-probabilities already; a softmax over so many equal shares adds its rounding.
        self.raw = np.exp(logits.astype(np.float64)).astype(np.float32)

    def _apply_filters(self) -> None:
        super()._apply_filters()
        self._removes_the_rest = self._is_rest_removed()
        kept = np.flatnonzero((self._removed_by == 0) & self._known)
        if not len(kept):
            raise nothing_left_error()
        self.scores = np.where(self._known, self.scores, -np.inf).astype(np.float32)
        self.probabilities = softmax(torch.from_numpy(self.scores))
        self._removed_by[~self._known & (self._removed_by == 0)] = _UNLISTED

    @property
    def unseen(self) -> float:
        """Probability of all tokens outside the list together, from 0 to 1."""
        return float(self.raw[~self._known].sum(dtype=np.float64))

    @property
    def is_exact(self) -> bool:
        """Whether the probabilities after the filters are those that a known whole vocabulary would give.

        They are where the filters have removed everything outside the list by a rule in which it does not matter how
        the rest is divided.
        """
        return self.unseen == 0 or self._removes_the_rest

    def _is_rest_removed(self) -> bool:
        """Whether the filters, without the list, remove all unlisted tokens, however probable each of them is."""
        settings = self.settings
        reasons = {FILTERS[i - 1] if i else None for i in set(self._removed_by[~self._known].tolist())}
        reasons.discard("no_repeat_ngram_size")
        if settings.repetition_penalty != 1 or settings.typical_p < 1 or None in reasons:
            return False
        if "top_p" in reasons and (settings.temperature != 1 or settings.top_k > len(self.listed)):
            return False  # the sum that top-p compares with depends on how the rest is divided
        last = int(self.listed[self.logits[self.listed].argmin()])
        return "min_p" not in reasons or FILTERS[self._removed_by[last] - 1] == "min_p"

    @property
    def known(self) -> int:
        """Number of tokens on the list."""
        return len(self.listed)

    def knows(self, token_id: int) -> bool:
        return 0 <= token_id < self.size and bool(self._known[token_id])

    def with_settings(self, settings: Settings) -> Distribution:
        return ListedDistribution(self.token_ids, self.logits, settings, self._label, self.listed)

    @cached_property
    def entropy(self) -> float:
        """Lower bound of the entropy, in nats: that with all unlisted tokens counted as one."""
        parts = np.append(self.raw[self._known].astype(np.float64), self.unseen)
        positive = parts[parts > 0]
        return float(-(positive * np.log(positive)).sum())

    @cached_property
    def order(self) -> np.ndarray:
        """Token ids: those of the list by descending probability, then all others, (V,) int64."""
        listed = np.sort(self.listed)
        return np.concatenate([listed[descending_order(self.logits[listed])], np.flatnonzero(~self._known)])

    def top(self, n: int, also: int | None = None) -> list[Candidate]:
        """As of `Distribution`, of the list alone."""
        return super().top(min(n, len(self.listed)), also)

    def candidate(self, token_id: int) -> Candidate:
        """Candidate for a token of the list. Raises IndexError for any other."""
        if not self.knows(token_id):
            raise IndexError(token_id)
        return super().candidate(token_id)
