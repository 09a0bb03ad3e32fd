"""Model output for one token of a text: logits, hidden states, attention weights, keys and values.

The prefix cache stores one `TokenOutput` per node. Its logits may leave the memory and be computed again, see
`logits_memory.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from engine.errors import EngineError, not_finite_error
from engine.sampling.distribution import Distribution
from engine.sampling.listed_distribution import ListedDistribution
from engine.sampling.settings import Settings

TOP_COUNT = 10  # length of `TokenOutput.top`


class LogitsSource(Protocol):
    """Computation of logits that an output does not hold."""

    def read(self, output: TokenOutput) -> np.ndarray:
        """Logits of the output, (V,) float32."""


@dataclass(eq=False)
class TokenOutput:
    """Model output for the token at position t (from 0) of a text.

    hidden_states  (L + 1, d) or None, see `ForwardOutput`
    attentions     (L, H, t + 1) or None: attention weights of this position over positions 0 to t
    key_values     (F,) or None: keys and values of this position, of all layers
    is_nan         whether the logits come from a hidden state with NaN, which makes NaN of each of them
    held_logits    `logits`, or None while they are not in memory; read `logits` instead
    source         computes the logits that are not in memory; None where they always are
    listed         (n,) ids of the tokens whose logits are known, None for all; see `ListedDistribution`
    """

    hidden_states: Tensor | None
    attentions: Tensor | None
    key_values: Tensor | None
    is_nan: bool
    held_logits: np.ndarray | None
    source: LogitsSource | None = None
    listed: np.ndarray | None = None
    _logit: dict[int, float] = field(default_factory=dict)  # of tokens asked for: known without all logits
    _rank: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, logits: Tensor, hidden_states: Tensor | None, attentions: Tensor | None, key_values: Tensor | None
    ) -> TokenOutput:
        """TokenOutput with copies of the tensors: the logits in one allocation, the others together in another.

        Evicting it then frees whole blocks, and blocks of similar size fragment the heap far less than small ones.
        """
        optional = {"hidden_states": hidden_states, "attentions": attentions, "key_values": key_values}
        tensors = {name: tensor for name, tensor in optional.items() if tensor is not None}
        memory = torch.empty(sum(map(_nbytes, tensors.values())), dtype=torch.uint8)
        copies: dict[str, Tensor] = {}
        offset = 0
        # Largest element size first, so that each view starts at an aligned offset.
        for name, tensor in sorted(tensors.items(), key=lambda item: item[1].element_size(), reverse=True):
            view = memory[offset : offset + _nbytes(tensor)].view(tensor.dtype).view(tensor.shape)
            copies[name] = view.copy_(tensor)
            offset += _nbytes(tensor)
        held = torch.empty(logits.shape).copy_(logits).numpy()
        return cls(
            copies.get("hidden_states"), copies.get("attentions"), copies.get("key_values"), math.isnan(held[0]), held
        )

    @property
    def logits(self) -> np.ndarray:
        """Logits of the token that follows, (V,) float32."""
        if self.source is None:
            assert self.held_logits is not None
            return self.held_logits
        return self.source.read(self)

    @property
    def nbytes(self) -> int:
        """Size in bytes of everything that is in memory."""
        held = self.held_logits
        return self.record_nbytes + (held.nbytes if self.source is not None and held is not None else 0)

    @property
    def record_nbytes(self) -> int:
        """Size in bytes of all tensors, without logits that can be computed again."""
        tensors = [t for t in (self.hidden_states, self.attentions, self.key_values) if t is not None]
        fixed = self.held_logits.nbytes if self.source is None and self.held_logits is not None else 0
        return sum(map(_nbytes, tensors)) + fixed

    @cached_property
    def log_z(self) -> float:
        """Log-sum-exp of the logits: a token's log-probability is its logit minus this.

        Raises EngineError(`not_finite`) if it is not finite, as with a NaN logit: then there is no distribution.
        """
        if self.listed is not None:
            return 0.0  # these logits are log-probabilities
        value = float(torch.logsumexp(torch.from_numpy(self.logits), dim=-1))
        if not math.isfinite(value):
            raise not_finite_error("the logits")
        return value

    def check_finite(self) -> None:
        """Raises EngineError(`not_finite`) where the logits define no distribution."""
        _ = self.log_z

    @cached_property
    def top(self) -> list[int]:
        """Ids of the TOP_COUNT most probable next tokens, most probable first."""
        known = self.logits if self.listed is None else self.listed
        return torch.from_numpy(self.logits).topk(min(TOP_COUNT, len(known))).indices.tolist()

    def is_listed(self, token_id: int) -> bool:
        """Whether the logit of a token is known."""
        return self.listed is None or bool((self.listed == token_id).any())

    def log_probability(self, token_id: int) -> float:
        """Natural log of the raw probability of `token_id` as the next token. Raises EngineError(`unlisted`)."""
        self._check_listed(token_id)
        if token_id not in self._logit:
            self._logit[token_id] = float(self.logits[token_id])
        return self._logit[token_id] - self.log_z

    def distribution(self, token_ids: Sequence[int], settings: Settings, label: Callable[[int], str]) -> Distribution:
        """Next-token distribution after `token_ids`, whose last token this output belongs to."""
        if self.listed is None:
            return Distribution(token_ids, self.logits, settings, label)
        return ListedDistribution(token_ids, self.logits, settings, label, self.listed)

    def _check_listed(self, token_id: int) -> None:
        if not self.is_listed(token_id):
            raise EngineError("unlisted", "the server does not tell the probability of this token")

    def rank(self, token_id: int) -> int:
        """Rank of a token by logit, 1 for the most probable; ties by id, as in `Distribution.order`.

        Raises EngineError(`unlisted`).
        """
        self._check_listed(token_id)
        if token_id not in self._rank:
            logits = self.logits
            value = logits[token_id]
            self._rank[token_id] = int((logits > value).sum() + (logits[:token_id] == value).sum()) + 1
        return self._rank[token_id]


def _nbytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
