"""What really changed the answer: take each token of the context away, or follow the gradient, and see.

Attention shows where a model looked; this shows what the probability of one next token hung on. Two ways to take a
token away, and one that takes none away; they answer different questions and need not agree. The weights are only
read, by as many threads as like.
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
from engine.errors import EngineError, PromptError
from engine.interpret.probe_texts import repeated_random_tokens
from engine.model.forward import Forward, accepts_argument, last_logits_only
from engine.model.kv_cache import BatchKVCache
from engine.model.model import Model
from engine.model.token_output import TokenOutput
from engine.tokenization.vocabulary import readable_token_ids

_CHUNK = 2**24  # numbers that a batch may hold at once in a layer, about: 64 MiB
_BLOCK = 16  # tokens that are left out of one batch: it begins at the first of them
_SEED = 1948  # of the random string that the neutral token is found on


@dataclass(frozen=True, eq=False, slots=True)
class Occlusion:
    """Leaving out each of the last n tokens of `ids` in turn; log-probabilities are of `token_id` coming next, in nats.

    first                       the position of the first token that was left out; n = len(ids) − first
    log_probability             with nothing left out
    replaced_log_probabilities  (n,) float64: with the neutral token in the place of each
    masked_log_probabilities    (n,) float64: with each hidden from attention; None for a model without attention
    """

    ids: tuple[int, ...]
    token_id: int
    first: int
    log_probability: float
    replaced_log_probabilities: np.ndarray
    masked_log_probabilities: np.ndarray | None

    @property
    def probability(self) -> float:
        """With nothing left out, from 0 to 1."""
        return float(np.exp(self.log_probability))

    @property
    def replaced(self) -> np.ndarray:
        """(n,) nats that replacing each token takes from the log-probability; below 0 where it adds some."""
        return self.log_probability - self.replaced_log_probabilities

    @property
    def masked(self) -> np.ndarray:
        """(n,) nats that hiding each token takes. Raises EngineError(`attention`) where there is none to hide from."""
        if self.masked_log_probabilities is None:
            raise EngineError("attention", "a model without attention has nothing that a token could be hidden from")
        return self.log_probability - self.masked_log_probabilities


def occlusion(model: Model, ids: Sequence[int], token_id: int, last: int | None = None) -> Occlusion:
    """Leave each token out in turn, and see how probable `token_id` still is after `ids`; all in one batch, or a few.

    last: so many tokens at the end are left out in turn, all where it is None or more than there are.

    Masked: no position may attend to the token (attention mask 0 at it), all others keep their positions. The last
    token asks the question and cannot be taken away so: it only loses sight of itself; of a text of one token nothing
    changes. (BLOOM counts positions from its mask: there later tokens move one closer.)
    Replaced: the neutral token stands in its place. Occlusion: Zeiler and Fergus 2014, "Visualizing and Understanding
    Convolutional Networks"; on words, Li et al. 2016, "Understanding Neural Networks through Representation Erasure".

    Raises PromptError as `Model.records`, `token` for a token_id outside the vocabulary, too;
    EngineError(`not_finite`); ValueError for a `last` below 1.
    """
    if last is not None and last < 1:
        raise ValueError(f"the last {last} tokens")
    records = _checked(model, ids, token_id)
    rows = records[-1].attentions
    hides = rows is not None and len(rows) == model.prefix_cache.forward.layers  # not where a layer has none
    stand_in, length = neutral_token(model), len(ids)
    first = 0 if last is None else max(0, length - last)
    columns = [record.key_values for record in records if record.key_values is not None]
    cached = torch.stack(columns) if columns else None  # (T, F)
    replaced, masked = [], []
    for start in range(first, length, _BLOCK):
        n = min(_BLOCK, length - start)
        values = _finite(
            _without(model.prefix_cache.forward, ids, cached, range(start, start + n), stand_in, hides, token_id)
        )
        replaced.append(values[:n])
        masked.append(values[n:])
    return Occlusion(
        ids=tuple(ids),
        token_id=token_id,
        first=first,
        log_probability=records[-1].log_probability(token_id),
        replaced_log_probabilities=np.concatenate(replaced),
        masked_log_probabilities=np.concatenate(masked) if hides else None,
    )


def gradient_input(model: Model, ids: Sequence[int], token_id: int) -> np.ndarray:
    """(T,) float64, signed, in nats: gradient × input of the log-probability of `token_id` after `ids`.

    Each token's embedding (without its position) times the gradient with respect to it, summed: what would be gained
    if the whole embedding grew by one part, were the model straight there. It is not what taking the token away would
    do; and a model whose layers begin with an RMS norm hardly sees how large an embedding is, so values are small there
    and their order says more. Denil et al. 2014, "Extraction of Salient Sentences from Labelled Documents"; Shrikumar
    et al. 2016, "Not Just a Black Box". Raises as `occlusion`, and EngineError(`gradient`) for a family that takes no
    embeddings.
    """
    _checked(model, ids, token_id)
    usage.before_pass(2 * len(ids))  # there and back
    hf = model.prefix_cache.forward.model
    if not accepts_argument(hf, "inputs_embeds"):
        raise EngineError("gradient", f"{model.name} takes no embeddings")
    # What inference mode makes cannot be derived, even here; the weights' own gradients are never asked for.
    with torch.inference_mode(False), torch.enable_grad():
        tokens = torch.tensor([ids], device=hf.device)  # (1, T)
        embedded = hf.get_input_embeddings()(tokens).detach().clone().requires_grad_()  # (1, T, d)
        logits = hf(inputs_embeds=embedded, use_cache=False, **last_logits_only(hf)).logits[0, -1]  # (V,)
        log_probability = torch.log_softmax(logits, dim=-1)[token_id]
        (gradient,) = torch.autograd.grad(log_probability, embedded)
        return _finite((gradient * embedded).sum(-1)[0].detach())


_lock = threading.Lock()
_neutral: WeakKeyDictionary[Forward, int] = WeakKeyDictionary()


def neutral_token(model: Model) -> int:
    """The token that says least: of those that can be read alone, the one that the model expects most on average.

    The average is over the tokens of a fixed random string, so over contexts that mean nothing. What is expected
    anywhere is no news (−ln p is lowest), is well known to the model, and nearly always is a comma, a full stop or a
    function word. The two usual choices are worse: an end-of-text token says that all before it is another text, and
    the token whose embedding is nearest to the average one is a rare word. Found once a model.
    """
    with _lock:
        known = _neutral.get(model.prefix_cache.forward)
    if known is None:
        logits = model.prefix_cache.forward.run(repeated_random_tokens(model, _SEED), None).logits  # (T, V)
        expected = torch.softmax(logits, dim=-1).mean(dim=0).numpy()  # (V,)
        tokens = readable_token_ids(model.vocabulary)
        known = tokens[int(expected[tokens].argmax())]
        with _lock:
            _neutral[model.prefix_cache.forward] = known
    return known


def _checked(model: Model, ids: Sequence[int], token_id: int) -> list[TokenOutput]:
    """What was recorded of each token. Raises PromptError for what is no text or no token."""
    records = model.records(ids)
    if not 0 <= token_id < model.vocabulary.size:
        raise PromptError("token", "a token id outside the vocabulary", size=model.vocabulary.size)
    return records


@torch.inference_mode()
def _without(
    forward: Forward,
    ids: Sequence[int],
    cached: Tensor | None,
    places: range,
    stand_in: int,
    hides: bool,
    token_id: int,
) -> Tensor:
    """(n,) log-probability of a token with each of n places replaced; with `hides` (2n,), then with each hidden.

    What stands before the first place stays as it was, so its keys and values are taken from `cached` (T, F), or None
    for a model that cannot use them.
    """
    length = len(ids)
    start = places.start if cached is not None else 0
    each = torch.eye(length, dtype=torch.bool)[places.start : places.stop]  # (n, T): row i marks its place
    tail = torch.tensor(ids[start:])  # (T',)
    variants = torch.where(each[:, start:], stand_in, tail)  # (n, T')
    masks = torch.ones((len(places), length), dtype=torch.long)
    if hides:
        variants = torch.cat([variants, tail.expand(len(places), -1)])  # (2n, T')
        masks = torch.cat([masks, (~each).long()])  # (2n, T)
    before = cached[:start] if cached is not None and start else None  # (start, F)
    size = _rows_at_once(forward.model, len(tail), 0 if before is None else before.numel())
    found = []
    for at in range(0, len(variants), size):
        hidden = masks[at : at + size] if hides else None
        found.append(_log_probabilities(forward, variants[at : at + size], hidden, before, token_id))
    return torch.cat(found)


def _log_probabilities(
    forward: Forward, texts: Tensor, masks: Tensor | None, before: Tensor | None, token_id: int
) -> Tensor:
    """(B,) log-probability of a token after texts (B, T') behind what `before` (t, F) holds keys and values of.

    masks: (B, t + T'), 0 where nothing may look.
    """
    hf = forward.model
    usage.before_pass(texts.numel())
    arguments: dict[str, Any] = {"use_cache": False, **last_logits_only(hf)}
    known = 0 if before is None else len(before)
    if before is not None:
        store = BatchKVCache(forward.layers)
        store.fill(before.expand(len(texts), -1, -1), forward.shapes)
        arguments |= {"past_key_values": store.cache, "use_cache": True}
    if masks is not None:
        arguments["attention_mask"] = masks.to(hf.device)
        if accepts_argument(hf, "position_ids"):
            positions = torch.arange(known, known + texts.shape[1], device=hf.device)  # (T',)
            arguments["position_ids"] = positions.expand_as(texts)
    logits = hf(input_ids=texts.to(hf.device), **arguments).logits[:, -1]  # (B, V)
    return torch.log_softmax(logits, dim=-1)[:, token_id]


def _rows_at_once(hf: PreTrainedModel, length: int, before: int) -> int:
    """How many texts make a batch that fits the bound: of a length, behind keys and values of so many numbers."""
    config = hf.config.get_text_config(decoder=True)
    heads = getattr(config, "num_attention_heads", 0)
    logits = config.vocab_size * (1 if accepts_argument(hf, "logits_to_keep") else length)
    return max(1, _CHUNK // (length * (3 * heads * length + 16 * config.hidden_size) + logits + before))


def _finite(values: Tensor) -> np.ndarray:
    """As float64. Raises EngineError(`not_finite`) for an infinity or what is not a number."""
    if not torch.isfinite(values).all():
        raise EngineError("not_finite", "the model gives a log-probability that is not a number")
    return values.double().numpy()
