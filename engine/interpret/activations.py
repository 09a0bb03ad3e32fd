"""Activations of the last token of a text: its vector before and after every layer, and what each part adds to it.

In the residual stream (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits") attention and the MLP
of a layer each add a vector to the one that goes through. Families name and arrange these parts differently, so what is
reported of a layer has been verified: that the parts add up, that the softmax of the scores is the attention, that the
last matrix of the MLP makes its output of the neurons. What does not hold is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from engine.errors import EngineError, not_finite_error
from engine.interpret.layer_recorder import RecordedLayer, last_vector, record
from engine.model.model import Model
from engine.model.token_output import TokenOutput

Beginning = Literal["token", "sum", "scaled", "other"]


@dataclass(frozen=True, eq=False, slots=True)
class LayerActivations:
    """One layer at the last of T tokens; d hidden size, H heads, F neurons.

    output     (d,) residual stream after the layer
    mixed      (d,) what attention adds to the residual stream, or in its place a part without attention weights
    mlp        (d,) what the MLP adds; both None where input + mixed + mlp is not the output
    neurons    (F,) activations of the MLP, which its last matrix multiplies; None where there is no such matrix
    weights    (H, T) attention weights; None for a layer without attention
    scores     (H, T) products of the query with every key, scaled; None where their softmax is not `weights`
    """

    output: np.ndarray
    mixed: np.ndarray | None
    mlp: np.ndarray | None
    neurons: np.ndarray | None
    weights: np.ndarray | None
    scores: np.ndarray | None


@dataclass(frozen=True, eq=False, slots=True)
class Activations:
    """The way of the last of T tokens through the model; float32 throughout.

    token      (d,) its row of the embedding matrix
    position   (d,) vector of its position where one is learned and added to the embedding, else None
    first      (d,) input of the first layer
    beginning  how that follows from the embedding: `token` itself, its `sum` with the position, `scaled` by a number,
               or in an `other` way
    rotary     whether the model encodes positions by rotating queries and keys
    layers     L layers
    final      (d,) output of the last layer after the final norm
    """

    ids: tuple[int, ...]
    token: np.ndarray
    position: np.ndarray | None
    first: np.ndarray
    beginning: Beginning
    rotary: bool
    layers: tuple[LayerActivations, ...]
    final: np.ndarray

    def lengths(self) -> list[float]:
        """Length (Euclidean norm) of the residual stream before the first layer and after each, L + 1 numbers."""
        return [float(np.linalg.norm(state)) for state in (self.first, *(layer.output for layer in self.layers))]


def activations(model: Model, ids: Sequence[int]) -> Activations:
    """Activations of the last token of a text, from one pass over this token where the prefix cache has the others.

    Raises PromptError as `Model.records`; EngineError: `lens` where the layers of the family cannot be identified or
    return no hidden states, `not_finite`; `limit_steps` as `Forward.run`.
    """
    if model.is_remote:
        raise EngineError("lens", "the inside of a model on a server is not seen")
    outputs = model.records(ids)
    forward = model.prefix_cache.forward
    states = outputs[-1].hidden_states  # (L + 1, d)
    if states is None:
        raise EngineError("lens", "this model returns no hidden states")
    if not states.isfinite().all():
        raise not_finite_error("the hidden states")
    recorder = record(forward, ids, outputs)
    first = recorder.first
    embedding: Any = forward.model.get_input_embeddings()
    if first is None or embedding.weight.shape[-1:] != first.shape or len(recorder.layers) != forward.layers:
        raise EngineError("lens", "the embedding or the layers of this model family were not found")
    token = embedding.weight[ids[-1]].detach().float().cpu()  # (d,)
    others = [vector for module, vector in recorder.embeddings if module is not embedding]
    position = next((vector for vector in others if vector.shape == first.shape), None)
    beginning = _beginning(token, position, first)
    rows = _attention_rows(outputs[-1], forward.layers)
    layers, before = [], first
    for recorded, row in zip(recorder.layers, rows, strict=True):
        layers.append(_layer(recorded, before, row))
        before = recorded.output
    return Activations(
        ids=tuple(ids),
        token=token.numpy(),
        position=position.numpy() if position is not None and beginning == "sum" else None,
        first=first.numpy(),
        beginning=beginning,
        rotary=any("rotary" in type(module).__name__.lower() for module in forward.model.modules()),
        layers=tuple(layers),
        final=states[-1].float().numpy(),
    )


def _beginning(token: Tensor, position: Tensor | None, first: Tensor) -> Beginning:
    """How the input of the first layer follows from the vectors of the token and its position."""
    if _equal(token, first):
        return "token"
    if position is not None and _equal(token + position, first):
        return "sum"
    factor = float(first @ token / (token @ token).clamp_min(1e-12))
    return "scaled" if _equal(token * factor, first) else "other"


def _attention_rows(output: TokenOutput, layers: int) -> list[Tensor | None]:
    """Attention weights (H, T) of each layer, where all layers have them."""
    attentions = output.attentions
    if attentions is None or len(attentions) != layers:
        return [None] * layers
    return [row.float() for row in attentions]


def _layer(recorded: RecordedLayer, before: Tensor, row: Tensor | None) -> LayerActivations:
    """One layer with what could be verified of it. before: (d,) the residual stream that it was given."""
    mixed, added = recorded.mixed, recorded.added
    parts = [part for part in (mixed, added) if part is not None and part.shape == before.shape]
    split = bool(parts) and _equal(sum(parts, before), recorded.output)
    neurons, matrix = recorded.neurons, recorded.matrix
    whole = recorded.mlp is not None and matrix is not None and _equal(matrix, last_vector(recorded.mlp))
    weights = row if recorded.weights is None else recorded.weights
    return LayerActivations(
        output=recorded.output.numpy(),
        mixed=mixed.numpy() if split and mixed is not None else None,
        mlp=added.numpy() if split and added is not None else None,
        neurons=neurons.numpy() if whole and neurons is not None else None,
        weights=None if weights is None else weights.numpy(),
        scores=_verified_scores(recorded.scores, recorded.weights),
    )


def _verified_scores(scores: Tensor | None, weights: Tensor | None) -> np.ndarray | None:
    """The scores, if their softmax over the tokens that are not masked is the attention."""
    if scores is None or weights is None or scores.shape != weights.shape:
        return None
    seen = scores.masked_fill(weights == 0, -torch.inf)
    return scores.numpy() if torch.allclose(torch.softmax(seen, dim=-1), weights, atol=1e-3) else None


def _equal(a: Tensor, b: Tensor) -> bool:
    """Whether two vectors are equal up to rounding: their distance is below 0.1% of the length of the longer one."""
    return a.shape == b.shape and bool((a - b).norm() <= 1e-3 * torch.maximum(a.norm(), b.norm()))
