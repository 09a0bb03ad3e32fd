"""Logit lens: the next-token prediction of every layer, from its hidden state, the final norm and the LM head.

From nostalgebraist 2020, "interpreting GPT: the logit lens": the hidden state after a layer is passed through the
model's own final norm and head, as if no layer followed. Layer 0 is the embedding, layer L the model's prediction. The
hidden states come from the prefix cache, so the text is not passed through the model again. Early layers were not
trained to be decoded this way (Belrose et al. 2023, "Eliciting Latent Predictions from Transformers with the Tuned
Lens"), so a poor prediction there does not mean that the layer holds no information about the next token.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from engine.errors import EngineError, not_finite_error
from engine.model.model import Model
from engine.model.token_output import TokenOutput
from engine.model.unembedding import Unembedding, nearly_equal, unembedding_of

_CHUNK = 2**23  # maximum number of logits per chunk: 32 MiB, and as much again for their softmax

_lock = threading.Lock()
# Per token, the most probable prediction of each layer and its probability, each (L + 1,): for a longer text, only the
# predictions of the new tokens are computed.
_predictions: WeakKeyDictionary[TokenOutput, tuple[np.ndarray, np.ndarray]] = WeakKeyDictionary()


class LogitLens:
    """Logit lens of one text of T tokens; L layers, V tokens in the vocabulary. Natural logarithms throughout.

    ids          the text
    layers       L; `layer` arguments are from 0 (the embedding) to L (the model's own prediction)
    top_token_ids  (L + 1, T) int64: the most probable next token by layer and position; the lowest id among equal ones
    probability  (L + 1, T) float32: its probability, from 0 to 1

    Holds references to the outputs of its text, as much memory as the text takes in the prefix cache, so it should not
    outlive its use.
    """

    def __init__(self, unembedding: Unembedding, ids: Sequence[int], outputs: Sequence[TokenOutput]) -> None:
        """Raises EngineError: `lens` where the unembedding of the last states is not their logits, `not_finite`."""
        if any(output.hidden_states is None for output in outputs):
            raise EngineError("lens", "this model returns no hidden states")
        self.ids = tuple(ids)
        self._unembedding = unembedding
        self._outputs = tuple(outputs)
        self._size = len(outputs[-1].logits)  # V
        self._hidden = [
            output.hidden_states for output in outputs if output.hidden_states is not None
        ]  # T of (L + 1, d)
        self.layers = len(self._hidden[0]) - 1
        outputs[-1].check_finite()  # NaN is never equal: without this, the unembedding would be blamed
        recomputed = unembedding.logits(self._hidden[-1][-1:])[0]  # (V,)
        if not nearly_equal(recomputed, torch.from_numpy(outputs[-1].logits)):
            raise EngineError("lens", "the unembedding of the last hidden state does not equal the model's logits")
        self._latest: tuple[int, Tensor] | None = None  # the last requested position and its logits
        self._predict(outputs)

    def _predict(self, outputs: Sequence[TokenOutput]) -> None:
        """Set `top_token_ids` and `probability`, in chunks, reusing the cached predictions of known tokens."""
        with _lock:
            predictions = [_predictions.get(output) for output in outputs]
        new = [t for t, prediction in enumerate(predictions) if prediction is None]
        size = max(1, _CHUNK // (self._size * (self.layers + 1)))  # positions per chunk
        for start in range(0, len(new), size):
            positions = new[start : start + size]
            logits = self._logits(positions)  # (n, L + 1, V)
            ids = logits.numpy().argmax(axis=-1)  # (n, L + 1)
            probability = torch.exp(logits.amax(dim=-1) - torch.logsumexp(logits, dim=-1))  # (n, L + 1)
            if not torch.isfinite(probability).all():
                raise not_finite_error("the probabilities of a layer")
            for t, row, value in zip(positions, ids, probability.numpy(), strict=True):
                predictions[t] = row, value
                with _lock:
                    _predictions[outputs[t]] = row, value
        self.top_token_ids: np.ndarray = np.stack([ids for ids, _ in filter(None, predictions)], axis=1)
        self.probability: np.ndarray = np.stack([values for _, values in filter(None, predictions)], axis=1)

    @torch.inference_mode()
    def _logits(self, positions: Sequence[int]) -> Tensor:
        """Logits of n positions in all layers, (n, L + 1, V)."""
        hidden = torch.stack([self._hidden[t] for t in positions])  # (n, L + 1, d)
        n, d = len(hidden), hidden.shape[-1]
        out = torch.empty((n, self.layers + 1, self._size))
        if self.layers:
            # The last state is normed already, and its logits are in the prefix cache.
            states = self._unembedding.normed(hidden[:, :-1].reshape(n * self.layers, d))  # (n * L, d)
            # At most as many at once as the text has tokens: learned positions end with the context window.
            parts = [self._unembedding.logits(part) for part in states.split(len(self._hidden))]
            out[:, :-1] = torch.cat(parts).view(n, self.layers, -1)
        out[:, -1] = torch.from_numpy(np.stack([self._outputs[t].logits for t in positions]))
        return out

    def _logits_at(self, position: int) -> Tensor:
        """Logits of all layers at a position, (L + 1, V). Raises IndexError for a position outside the text."""
        if not 0 <= position < len(self._hidden):
            raise IndexError(position)
        latest = self._latest
        if latest is None or latest[0] != position:
            latest = self._latest = position, self._logits([position])[0]
        return latest[1]

    def _check_layer(self, layer: int) -> None:
        if not 0 <= layer <= self.layers:
            raise IndexError(layer)

    def logits(self, layer: int, position: int) -> np.ndarray:
        """Next-token logits of a layer at a position, (V,) float32.

        Raises IndexError for a layer or position out of range.
        """
        self._check_layer(layer)
        return self._logits_at(position)[layer].numpy().copy()

    def top(self, layer: int, position: int, n: int) -> list[tuple[int, float]]:
        """The n most probable tokens of a layer as (id, probability), descending, ties by id. Raises as `logits`."""
        self._check_layer(layer)
        logits = self._logits_at(position)[layer]  # (V,)
        probabilities = torch.softmax(logits, dim=-1, dtype=torch.float64)
        order = np.argsort(-logits.numpy(), kind="stable")[: max(n, 0)]
        return [(int(i), float(probabilities[i])) for i in order]

    def ranks(self, position: int, token_id: int) -> list[int]:
        """Rank of a token in each layer, 0 to L; 1 is the most probable, ties are ranked by id.

        Raises IndexError for a position out of range or an id outside the vocabulary.
        """
        logits, value = self._logits_and_value(position, token_id)
        above = (logits > value).sum(-1) + (logits[:, :token_id] == value).sum(-1)  # (L + 1,)
        return (above + 1).tolist()

    def probabilities(self, position: int, token_id: int) -> list[float]:
        """Probability of a token in each layer, 0 to L. Raises IndexError as `ranks`."""
        logits, value = self._logits_and_value(position, token_id)
        return torch.exp(value[:, 0] - torch.logsumexp(logits, dim=-1)).tolist()

    def _logits_and_value(self, position: int, token_id: int) -> tuple[Tensor, Tensor]:
        """Logits (L + 1, V) at a position, and those (L + 1, 1) of one token."""
        logits = self._logits_at(position)
        if not 0 <= token_id < logits.shape[1]:
            raise IndexError(token_id)
        return logits, logits[:, token_id : token_id + 1]


def logit_lens(model: Model, ids: Sequence[int]) -> LogitLens:
    """Logit lens of a text, from the hidden states in the prefix cache.

    Raises PromptError as `Model.records`, EngineError: `lens` where the unembedding of the model's family cannot be
    identified, `not_finite`.
    """
    outputs = model.records(ids)
    return LogitLens(unembedding_of(model.prefix_cache.forward), ids, outputs)
