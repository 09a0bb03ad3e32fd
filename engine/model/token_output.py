"""What a model computed for one token of a text, as the prefix tree keeps it.

It knows neither the text nor the tree, and chooses nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from engine.errors import EngineError

TOP_COUNT = 10  # alternatives that a record names


@dataclass(frozen=True, eq=False)
class TokenOutput:
    """What the model computed for one token, standing at position t (from 0) of a text.

    logits   (V,) float32, for the token that follows
    hidden   (L + 1, d) or None, see `forward.Recorded`
    rows     (L, H, t + 1) or None: what this position looked at
    column   (F,) or None: its keys and values
    """

    logits: np.ndarray
    hidden_states: Tensor | None
    attentions: Tensor | None
    key_values: Tensor | None

    @classmethod
    def of(cls, logits: Tensor, hidden: Tensor | None, rows: Tensor | None, column: Tensor | None) -> TokenOutput:
        """A record with memory of its own, all of it in one piece.

        Dropping it frees that; and between pieces of one size the heap keeps far fewer holes than between small ones.
        """
        parts = {"logits": logits, "hidden": hidden, "rows": rows, "column": column}
        there = {name: part for name, part in parts.items() if part is not None}
        piece = torch.empty(sum(map(_nbytes, there.values())), dtype=torch.uint8)
        own: dict[str, Tensor] = {}
        at = 0
        # The largest numbers first, so that each part begins where its kind of number may.
        for name, part in sorted(there.items(), key=lambda item: item[1].element_size(), reverse=True):
            own[name] = piece[at : at + _nbytes(part)].view(part.dtype).view(part.shape).copy_(part)
            at += _nbytes(part)
        return cls(own["logits"].numpy(), own.get("hidden"), own.get("rows"), own.get("column"))

    @property
    def nbytes(self) -> int:
        tensors = [t for t in (self.hidden_states, self.attentions, self.key_values) if t is not None]
        return self.logits.nbytes + sum(map(_nbytes, tensors))

    @cached_property
    def log_z(self) -> float:
        """Log of the sum of exp(logits): a token's log-probability is its logit less this.

        Raises EngineError(`not_finite`) where a logit is no number: then there is no distribution.
        """
        found = float(torch.logsumexp(torch.from_numpy(self.logits), dim=-1))
        if not math.isfinite(found):
            raise EngineError("not_finite", "the model gives a logit that is not a number")
        return found

    @cached_property
    def top(self) -> list[int]:
        """Ids of the likeliest next tokens, likeliest first."""
        return torch.from_numpy(self.logits).topk(min(TOP_COUNT, len(self.logits))).indices.tolist()

    def log_probability(self, token_id: int) -> float:
        """Natural log of the raw probability that `token_id` follows."""
        return float(self.logits[token_id]) - self.log_z

    def rank(self, token_id: int) -> int:
        """1 for the likeliest token; of equal ones the lowest id stands first, as in `Distribution.order`."""
        value = self.logits[token_id]
        return int((self.logits > value).sum() + (self.logits[:token_id] == value).sum()) + 1


def _nbytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
