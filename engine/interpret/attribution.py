"""Token attribution: occlusion and gradient × input for the log-probability of one next token.

Attention weights describe where a model attends; attribution measures how much the log-probability of one next token
depends on each token of the context. The three methods (occlusion by masking, occlusion by replacement, gradient ×
input) measure different things and need not agree. Thread-safe: the weights are only read.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine import usage
from engine.errors import EngineError, PromptError, not_finite_error
from engine.interpret.probe_texts import repeated_random_tokens
from engine.model.forward import Forward, accepts_argument, last_logits_only
from engine.model.kv_cache import BatchKVCache
from engine.model.model import Model
from engine.model.token_output import TokenOutput

_CHUNK = 2**24  # approximate maximum number of activations of one layer per batch: 64 MiB
_BLOCK = 16  # occluded tokens per group; only the text from the group's first token on is recomputed
_SEED = 1948  # seed of the random string for choosing the neutral token


@dataclass(frozen=True, eq=False, slots=True)
class Occlusion:
    """Occlusion of each of the last n tokens of `ids`; log-probabilities are of `token_id` as next token, in nats.

    first                       position of the first occluded token; n = len(ids) − first
    log_probability             without occlusion
    replaced_log_probabilities  (n,) float64: each token replaced by the neutral token
    masked_log_probabilities    (n,) float64: each token masked in attention; None for a model without attention
    """

    ids: tuple[int, ...]
    token_id: int
    first: int
    log_probability: float
    replaced_log_probabilities: np.ndarray
    masked_log_probabilities: np.ndarray | None

    @property
    def probability(self) -> float:
        """Probability of `token_id` without occlusion, from 0 to 1."""
        return float(np.exp(self.log_probability))

    @property
    def replaced(self) -> np.ndarray:
        """Decrease of the log-probability when each token is replaced, (n,) in nats; negative where it increases."""
        return self.log_probability - self.replaced_log_probabilities

    @property
    def masked(self) -> np.ndarray:
        """Decrease of the log-probability when each token is masked, (n,) in nats; negative where it increases.

        Raises EngineError(`attention`) for a model without attention.
        """
        if self.masked_log_probabilities is None:
            raise EngineError("attention", "tokens cannot be masked in a model without attention")
        return self.log_probability - self.masked_log_probabilities


def occlusion(model: Model, ids: Sequence[int], token_id: int, last: int | None = None) -> Occlusion:
    """Log-probability of `token_id` after `ids` with each token occluded in turn, computed in batches.

    last: number of tokens at the end to occlude; all if None or larger than the text.

    Masked: no position attends to the token (its attention mask is 0); the position ids of all other tokens stay the
    same. The last token computes the prediction and cannot be removed this way: masking it only prevents it from
    attending to itself, and in a text of one token changes nothing. (BLOOM derives positions from the mask, so there
    later tokens move one position closer.)
    Replaced: the token is replaced by the neutral token, see `neutral_token`. Occlusion: Zeiler and Fergus 2014,
    "Visualizing and Understanding Convolutional Networks"; on words, Li et al. 2016, "Understanding Neural Networks
    through Representation Erasure".

    Raises PromptError as `Model.records`, and `token` for a token_id outside the vocabulary;
    EngineError(`not_finite`); ValueError for a `last` below 1.
    """
    if last is not None and last < 1:
        raise ValueError(f"the last {last} tokens")
    outputs = _checked_outputs(model, ids, token_id)
    attentions = outputs[-1].attentions
    maskable = attentions is not None and len(attentions) == model.prefix_cache.forward.layers  # all layers attend
    neutral, length = neutral_token(model), len(ids)
    first = 0 if last is None else max(0, length - last)
    key_values = [output.key_values for output in outputs if output.key_values is not None]
    cached = torch.stack(key_values) if key_values else None  # (T, F)
    replaced, masked = [], []
    for start in range(first, length, _BLOCK):
        n = min(_BLOCK, length - start)
        values = _finite(
            _occluded(model.prefix_cache.forward, ids, cached, range(start, start + n), neutral, maskable, token_id)
        )
        replaced.append(values[:n])
        masked.append(values[n:])
    return Occlusion(
        ids=tuple(ids),
        token_id=token_id,
        first=first,
        log_probability=outputs[-1].log_probability(token_id),
        replaced_log_probabilities=np.concatenate(replaced),
        masked_log_probabilities=np.concatenate(masked) if maskable else None,
    )


def gradient_input(model: Model, ids: Sequence[int], token_id: int) -> np.ndarray:
    """Gradient × input of the log-probability of `token_id` after `ids`: (T,) float64, signed, in nats.

    The dot product of each token's embedding (without position) and the gradient with respect to it: the first-order
    change of the log-probability per relative increase of the embedding. It does not estimate the effect of removing
    the token. A model whose layers begin with an RMS norm is nearly invariant to the scale of an embedding, so values
    are small there and their order is more informative than their size. Denil et al. 2014, "Extraction of Salient
    Sentences from Labelled Documents"; Shrikumar et al. 2016, "Not Just a Black Box". Raises as `occlusion`, and
    EngineError(`gradient`) for a family that takes no embeddings.
    """
    _checked_outputs(model, ids, token_id)
    usage.before_pass(2 * len(ids))  # forward and backward
    hf = model.prefix_cache.forward.model
    if not accepts_argument(hf, "inputs_embeds"):
        raise EngineError("gradient", f"{model.name} takes no embeddings")
    # Tensors created in inference mode cannot take part in autograd, so it is switched off. `autograd.grad` computes
    # the gradient of the embeddings only and leaves the `grad` of the weights alone.
    with torch.inference_mode(False), torch.enable_grad():
        tokens = torch.tensor([ids], device=hf.device)  # (1, T)
        embedded = hf.get_input_embeddings()(tokens).detach().clone().requires_grad_()  # (1, T, d)
        with model.prefix_cache.forward.lock:
            logits = hf(inputs_embeds=embedded, use_cache=False, **last_logits_only(hf)).logits[0, -1]  # (V,)
        log_probability = torch.log_softmax(logits, dim=-1)[token_id]
        (gradient,) = torch.autograd.grad(log_probability, embedded)
        return _finite((gradient * embedded).sum(-1)[0].detach().cpu())


_lock = threading.Lock()
_neutral: WeakKeyDictionary[Forward, int] = WeakKeyDictionary()


def neutral_token(model: Model) -> int:
    """Least informative token: the readable token with the highest mean next-token probability over random contexts.

    The mean is over the positions of a fixed random string, whose contexts carry no meaning. A token that is expected
    everywhere carries the least information (lowest −ln p), is frequent in training, and nearly always is a comma, a
    full stop or a function word. The two usual choices are worse: an end-of-text token marks everything before it as
    another text, and the token whose embedding is nearest to the mean embedding is a rare word. Computed once per
    model. Raises EngineError(`not_finite`).
    """
    with _lock:
        token_id = _neutral.get(model.prefix_cache.forward)
    if token_id is None:
        logits = model.prefix_cache.forward.run(repeated_random_tokens(model, _SEED), None).logits  # (T, V)
        expected = _finite(torch.softmax(logits, dim=-1).mean(dim=0))  # (V,)
        tokens = model.vocabulary.readable_ids
        token_id = tokens[int(expected[tokens].argmax())]
        with _lock:
            _neutral[model.prefix_cache.forward] = token_id
    return token_id


def _checked_outputs(model: Model, ids: Sequence[int], token_id: int) -> Sequence[TokenOutput]:
    """Outputs of each token of a text. Raises PromptError for invalid ids or token_id."""
    outputs = model.records(ids)
    if not 0 <= token_id < model.vocabulary.size:
        raise PromptError("token", "a token id outside the vocabulary", size=model.vocabulary.size)
    return outputs


@torch.inference_mode()
def _occluded(
    forward: Forward,
    ids: Sequence[int],
    cached: Tensor | None,
    positions: range,
    neutral: int,
    maskable: bool,
    token_id: int,
) -> Tensor:
    """(n,) log-probability of a token with each of n positions replaced; if `maskable` (2n,), then with each masked.

    cached: (T, F) keys and values of the text; those before the first occluded position are reused. None for a model
    without a KV cache.
    """
    length = len(ids)
    start = positions.start if cached is not None else 0
    occluded = torch.eye(length, dtype=torch.bool)[positions.start : positions.stop]  # (n, T): row i marks one position
    suffix = torch.tensor(ids[start:])  # (T',)
    variants = torch.where(occluded[:, start:], neutral, suffix)  # (n, T')
    masks = torch.ones((len(positions), length), dtype=torch.long)
    if maskable:
        variants = torch.cat([variants, suffix.expand(len(positions), -1)])  # (2n, T')
        masks = torch.cat([masks, (~occluded).long()])  # (2n, T)
    before = cached[:start] if cached is not None and start else None  # (start, F)
    size = _max_batch_size(forward.model, len(suffix), 0 if before is None else before.numel())
    values = []
    for i in range(0, len(variants), size):
        batch_masks = masks[i : i + size] if maskable else None
        values.append(_log_probabilities(forward, variants[i : i + size], batch_masks, before, token_id))
    return torch.cat(values)


def _log_probabilities(
    forward: Forward, texts: Tensor, masks: Tensor | None, before: Tensor | None, token_id: int
) -> Tensor:
    """(B,) log-probability of a token after texts (B, T').

    before: (t, F) keys and values of the prefix that all texts share, or None. masks: (B, t + T') attention mask, 0 at
    positions that are masked.
    """
    hf = forward.model
    usage.before_pass(texts.numel())
    arguments: dict[str, Any] = {"use_cache": False, **last_logits_only(hf)}
    prefix_length = 0 if before is None else len(before)
    if before is not None:
        cache = BatchKVCache(forward.layers, forward.device)
        cache.fill(before.expand(len(texts), -1, -1), forward.kv_shapes)
        arguments |= {"past_key_values": cache.cache, "use_cache": True}
    if masks is not None:
        arguments["attention_mask"] = masks.to(hf.device)
        if accepts_argument(hf, "position_ids"):
            positions = torch.arange(prefix_length, prefix_length + texts.shape[1], device=hf.device)  # (T',)
            arguments["position_ids"] = positions.expand_as(texts)
    with forward.lock:
        logits = hf(input_ids=texts.to(hf.device), **arguments).logits[:, -1]  # (B, V)
    return torch.log_softmax(logits, dim=-1)[:, token_id].cpu()


def _max_batch_size(hf: PreTrainedModel, length: int, before: int) -> int:
    """Largest number of texts per batch within `_CHUNK`, at least 1.

    length: tokens of each text. before: numbers in the keys and values of its prefix.
    """
    config = hf.config.get_text_config(decoder=True)
    heads = getattr(config, "num_attention_heads", 0)
    logits = config.vocab_size * (1 if accepts_argument(hf, "logits_to_keep") else length)
    return max(1, _CHUNK // (length * (3 * heads * length + 16 * config.hidden_size) + logits + before))


def _finite(values: Tensor) -> np.ndarray:
    """Values as float64. Raises EngineError(`not_finite`) for infinity or NaN."""
    if not torch.isfinite(values).all():
        raise not_finite_error("the attributions")
    return values.double().numpy()
