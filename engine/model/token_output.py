"""Model output for one token of a text: logits, hidden states, attention weights, keys and values.

The prefix cache stores one `TokenOutput` per node. It contains no reference to the text or to the tree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from engine.errors import not_finite_error

TOP_COUNT = 10  # length of `TokenOutput.top`


@dataclass(frozen=True, eq=False)
class TokenOutput:
    """Model output for the token at position t (from 0) of a text.

    logits         (V,) float32, for the token that follows
    hidden_states  (L + 1, d) or None, see `ForwardOutput`
    attentions     (L, H, t + 1) or None: attention weights of this position over positions 0 to t
    key_values     (F,) or None: keys and values of this position, of all layers
    """

    logits: np.ndarray
    hidden_states: Tensor | None
    attentions: Tensor | None
    key_values: Tensor | None

    @classmethod
    def of(
        cls, logits: Tensor, hidden_states: Tensor | None, attentions: Tensor | None, key_values: Tensor | None
    ) -> TokenOutput:
        """TokenOutput with copies of the tensors in one allocation of its own.

        Evicting it then frees one block, and blocks of similar size fragment the heap far less than small ones.
        """
        optional = {
            "logits": logits, "hidden_states": hidden_states, "attentions": attentions, "key_values": key_values,
        }  # fmt: skip
        tensors = {name: tensor for name, tensor in optional.items() if tensor is not None}
        memory = torch.empty(sum(map(_nbytes, tensors.values())), dtype=torch.uint8)
        copies: dict[str, Tensor] = {}
        offset = 0
        # Largest element size first, so that each view starts at an aligned offset.
        for name, tensor in sorted(tensors.items(), key=lambda item: item[1].element_size(), reverse=True):
            view = memory[offset : offset + _nbytes(tensor)].view(tensor.dtype).view(tensor.shape)
            copies[name] = view.copy_(tensor)
            offset += _nbytes(tensor)
        return cls(
            copies["logits"].numpy(), copies.get("hidden_states"), copies.get("attentions"), copies.get("key_values")
        )

    @property
    def nbytes(self) -> int:
        """Size of all tensors in bytes."""
        tensors = [t for t in (self.hidden_states, self.attentions, self.key_values) if t is not None]
        return self.logits.nbytes + sum(map(_nbytes, tensors))

    @property
    def is_nan(self) -> bool:
        """Whether the logits come from a hidden state with NaN, which makes NaN of each of them."""
        return math.isnan(self.logits[0])

    @cached_property
    def log_z(self) -> float:
        """Log-sum-exp of the logits: a token's log-probability is its logit minus this.

        Raises EngineError(`not_finite`) if it is not finite, as with a NaN logit: then there is no distribution.
        """
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
        return torch.from_numpy(self.logits).topk(min(TOP_COUNT, len(self.logits))).indices.tolist()

    def log_probability(self, token_id: int) -> float:
        """Natural log of the raw probability of `token_id` as the next token."""
        return float(self.logits[token_id]) - self.log_z

    def rank(self, token_id: int) -> int:
        """Rank of a token by logit, 1 for the most probable; ties by id, as in `Distribution.order`."""
        value = self.logits[token_id]
        return int((self.logits > value).sum() + (self.logits[:token_id] == value).sum()) + 1


def _nbytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
