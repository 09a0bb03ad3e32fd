"""The logit lens: what each layer would have predicted, had the model ended there.

From nostalgebraist 2020, "interpreting GPT: the logit lens": the state that leaves a layer is put through the model's
own final norm and head, as if no layer followed. Layer 0 is the embedding, layer L what the model says. Everything
is computed from the states that the prefix tree recorded; the text does not go through the model again. Early layers
were never trained to be read this way (Belrose et al. 2023, "Eliciting Latent Predictions from Transformers with the
Tuned Lens"), so a poor prediction there does not say that the layer knows nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from engine.errors import EngineError
from engine.interpret.unembedding import Unembedding, nearly_equal, unembedding_of
from engine.model.model import Model
from engine.model.token_output import TokenOutput

_CHUNK = 2**23  # logits at once: 32 MiB, and as much again for their softmax

_lock = threading.Lock()
# Of a token, the likeliest prediction of each layer and its probability: whoever looks at a longer text computes those
# of the new tokens alone.
_seen: WeakKeyDictionary[TokenOutput, tuple[np.ndarray, np.ndarray]] = WeakKeyDictionary()


class LogitLens:
    """The lens on one text of T tokens; L layers, V tokens in the vocabulary. Natural logarithms throughout.

    ids          the text
    layers       L; what takes a layer takes 0 (the embedding) to L (what the model predicts)
    likeliest    (L + 1, T) int64: the token that a layer would predict after a position; of equal ones the lowest id
    probability  (L + 1, T) float32: its probability, from 0 to 1

    It holds states and logits of its text, about as much as the tree does: keep it while it is shown.
    """

    def __init__(self, end: Unembedding, ids: Sequence[int], records: Sequence[TokenOutput]) -> None:
        """Raises EngineError: `lens` where the states are no states of this model's end, `not_finite`."""
        if any(record.hidden_states is None for record in records):
            raise EngineError("lens", "this model shows no states between its layers")
        self.ids = tuple(ids)
        self._end = end
        self._last = [record.logits for record in records]
        self._hidden = [
            record.hidden_states for record in records if record.hidden_states is not None
        ]  # T of (L + 1, d)
        self.layers = len(self._hidden[0]) - 1
        again = end.logits(self._hidden[-1][-1:])[0]  # (V,)
        if not nearly_equal(again, torch.from_numpy(self._last[-1])):
            raise EngineError("lens", "the last state of this model does not lead to its logits")
        self._at: tuple[int, Tensor] | None = None  # the position that was asked for last, and its logits
        self._look(records)

    def _look(self, records: Sequence[TokenOutput]) -> None:
        """Fill in likeliest and probability, in chunks; tokens that were looked at before are known."""
        with _lock:
            known = [_seen.get(record) for record in records]
        new = [t for t, found in enumerate(known) if found is None]
        size = max(1, _CHUNK // (self._last[0].size * (self.layers + 1)))  # positions at once
        for at in range(0, len(new), size):
            positions = new[at : at + size]
            logits = self._logits(positions)  # (n, L + 1, V)
            ids = logits.numpy().argmax(axis=-1)  # (n, L + 1)
            probability = torch.exp(logits.amax(dim=-1) - torch.logsumexp(logits, dim=-1))  # (n, L + 1)
            if not torch.isfinite(probability).all():
                raise EngineError("not_finite", "a layer's prediction is not a number")
            for t, row, value in zip(positions, ids, probability.numpy(), strict=True):
                known[t] = row, value
                with _lock:
                    _seen[records[t]] = row, value
        self.likeliest: np.ndarray = np.stack([found[0] for found in known if found], axis=1)
        self.probability: np.ndarray = np.stack([found[1] for found in known if found], axis=1)

    @torch.inference_mode()
    def _logits(self, positions: Sequence[int]) -> Tensor:
        """(n, L + 1, V) of n positions."""
        hidden = torch.stack([self._hidden[t] for t in positions])  # (n, L + 1, d)
        n, d = len(hidden), hidden.shape[-1]
        out = torch.empty((n, self.layers + 1, self._last[0].size))
        if self.layers:
            # The last state is after the norm; what it leads to was recorded.
            states = self._end.normed(hidden[:, :-1].reshape(n * self.layers, d))  # (n * L, d)
            out[:, :-1] = self._end.logits(states).view(n, self.layers, -1)
        out[:, -1] = torch.from_numpy(np.stack([self._last[t] for t in positions]))
        return out

    def _of(self, position: int) -> Tensor:
        """(L + 1, V) logits at a position. Raises IndexError where the text has no such one."""
        if not 0 <= position < len(self._hidden):
            raise IndexError(position)
        at = self._at
        if at is None or at[0] != position:
            at = self._at = position, self._logits([position])[0]
        return at[1]

    def _check(self, layer: int) -> None:
        if not 0 <= layer <= self.layers:
            raise IndexError(layer)

    def logits(self, layer: int, position: int) -> np.ndarray:
        """(V,) float32: what a layer would give for the token that follows a position.

        Raises IndexError for a layer or a position that is not there.
        """
        self._check(layer)
        return self._of(position)[layer].numpy().copy()

    def top(self, layer: int, position: int, n: int) -> list[tuple[int, float]]:
        """The n likeliest (id, probability) of a layer, likeliest first, equal ones by id; IndexError as there."""
        self._check(layer)
        logits = self._of(position)[layer]  # (V,)
        probabilities = torch.softmax(logits, dim=-1)
        order = np.argsort(-logits.numpy(), kind="stable")[: max(n, 0)]
        return [(int(i), float(probabilities[i])) for i in order]

    def ranks(self, position: int, token_id: int) -> list[int]:
        """A token's rank in each layer, 0 to L; 1 is the likeliest, of equal ones the lowest id stands first.

        Raises IndexError for a position that is not there or an id outside the vocabulary.
        """
        logits, value = self._column(position, token_id)
        above = (logits > value).sum(-1) + (logits[:, :token_id] == value).sum(-1)  # (L + 1,)
        return (above + 1).tolist()

    def probabilities(self, position: int, token_id: int) -> list[float]:
        """A token's probability in each layer, 0 to L. Raises IndexError as `ranks`."""
        logits, value = self._column(position, token_id)
        return torch.exp(value[:, 0] - torch.logsumexp(logits, dim=-1)).tolist()

    def _column(self, position: int, token_id: int) -> tuple[Tensor, Tensor]:
        """Logits (L + 1, V) at a position, and those (L + 1, 1) of one token."""
        logits = self._of(position)
        if not 0 <= token_id < logits.shape[1]:
            raise IndexError(token_id)
        return logits, logits[:, token_id : token_id + 1]


def logit_lens(model: Model, ids: Sequence[int]) -> LogitLens:
    """The logit lens on a text, from what the tree recorded of it.

    Raises PromptError as `Model.records`, EngineError: `lens` where the model's family does not show how it ends,
    `not_finite`.
    """
    records = model.records(ids)
    return LogitLens(unembedding_of(model.prefix_cache.forward), ids, records)
