"""What really changed the answer: take each token of the context away, or follow the gradient, and see.

Attention shows where a model looked; this shows what the probability of one next token hung on. Two ways to take a
token away, and one that takes none away; they answer different questions and need not agree. The weights are only
read, by as many threads as like.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine import door
from engine.forward import Forward, only_the_last, takes
from engine.model import Model
from engine.probe import ordinary, repeated
from engine.record import Record
from engine.types import EngineError, PromptError

_CHUNK = 2**24  # numbers that a batch may hold at once in a layer, about: 64 MiB
_SEED = 1948  # of the random string that the neutral token is found on


@dataclass(frozen=True, eq=False, slots=True)
class Mattered:
    """Leaving out each of the last n tokens of `ids` in turn; log-probabilities are of `token_id` coming next, in nats.

    first                       the position of the first token that was left out; n = len(ids) − first
    log_probability             with nothing left out
    neutral                     the token that stood in where one was replaced, see `neutral`
    replaced_log_probabilities  (n,) float64: with the neutral token in the place of each
    masked_log_probabilities    (n,) float64: with each hidden from attention; None for a model without attention
    """

    ids: tuple[int, ...]
    token_id: int
    first: int
    log_probability: float
    neutral: int
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


def occlusion(model: Model, ids: Sequence[int], token_id: int, last: int | None = None) -> Mattered:
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
    rows = _checked(model, ids, token_id).rows
    forward, length = model.tree.forward, len(ids)
    hides = rows is not None and len(rows) == forward.layers  # not where some layer hands the past on without attention
    stand_in = neutral(model)
    n = length if last is None else min(last, length)
    text = torch.tensor(ids)  # (T,)
    each = torch.eye(length, dtype=torch.bool)[length - n :]  # (n, T): row i marks token T - n + i
    replaced = torch.where(each, stand_in, text)  # (n, T)
    whole = torch.ones((1 + n, length), dtype=torch.long)
    variants, masks = torch.cat([text[None], replaced]), whole  # (1 + n, T)
    if hides:
        variants = torch.cat([variants, text.expand(n, length)])  # (1 + 2n, T)
        masks = torch.cat([whole, (~each).long()])
    values = _finite(_log_probabilities(forward.model, variants, masks if hides else None, token_id))
    return Mattered(
        ids=tuple(ids),
        token_id=token_id,
        first=length - n,
        log_probability=float(values[0]),
        neutral=stand_in,
        replaced_log_probabilities=values[1 : 1 + n],
        masked_log_probabilities=values[1 + n :] if hides else None,
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
    door.passed(2 * len(ids))  # there and back
    hf = model.tree.forward.model
    if not takes(hf, "inputs_embeds"):
        raise EngineError("gradient", f"{model.name} takes no embeddings")
    # What inference mode makes cannot be derived, even here; the weights' own gradients are never asked for.
    with torch.inference_mode(False), torch.enable_grad():
        tokens = torch.tensor([ids], device=hf.device)  # (1, T)
        embedded = hf.get_input_embeddings()(tokens).detach().clone().requires_grad_()  # (1, T, d)
        logits = hf(inputs_embeds=embedded, use_cache=False, **only_the_last(hf)).logits[0, -1]  # (V,)
        log_probability = torch.log_softmax(logits, dim=-1)[token_id]
        (gradient,) = torch.autograd.grad(log_probability, embedded)
        return _finite((gradient * embedded).sum(-1)[0].detach())


def agreement(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float | None:
    """Spearman's rank correlation of two values a token, from −1 to 1; equal values share the mean of their ranks.

    None where it is undefined: fewer than two tokens, or one of them the same everywhere. Raises ValueError for
    different lengths. Spearman 1904, "The Proof and Measurement of Association between Two Things".

    >>> agreement([1, 2, 3], [10, 30, 20])
    0.5
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values")
    if len(a) < 2:
        return None
    one, two = _ranks(a), _ranks(b)
    spread = float(np.sqrt((one @ one) * (two @ two)))
    return float(one @ two) / spread if spread else None


def _ranks(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """(T,) ranks less their mean."""
    _, which, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks - ranks.mean()


_lock = threading.Lock()
_neutral: WeakKeyDictionary[Forward, int] = WeakKeyDictionary()


def neutral(model: Model) -> int:
    """The token that says least: of those that can be read alone, the one that the model expects most on average.

    The average is over the tokens of a fixed random string, so over contexts that mean nothing. What is expected
    anywhere is no news (−ln p is lowest), is well known to the model, and nearly always is a comma, a full stop or a
    function word. The two usual choices are worse: an end-of-text token says that all before it is another text, and
    the token whose embedding is nearest to the average one is a rare word. Found once a model.
    """
    with _lock:
        known = _neutral.get(model.tree.forward)
    if known is None:
        logits = model.tree.forward.run(repeated(model, _SEED), None).logits  # (T, V)
        expected = torch.softmax(logits, dim=-1).mean(dim=0).numpy()  # (V,)
        tokens = ordinary(model.vocabulary)
        known = tokens[int(expected[tokens].argmax())]
        with _lock:
            _neutral[model.tree.forward] = known
    return known


def _checked(model: Model, ids: Sequence[int], token_id: int) -> Record:
    """What was recorded of the last token. Raises PromptError for what is no text or no token."""
    record = model.records(ids)[-1]
    if not 0 <= token_id < model.vocabulary.size:
        raise PromptError("token", "a token id outside the vocabulary", size=model.vocabulary.size)
    return record


@torch.inference_mode()
def _log_probabilities(hf: PreTrainedModel, texts: Tensor, masks: Tensor | None, token_id: int) -> Tensor:
    """(B,) log-probability of a token after texts (B, T); masks (B, T) are 0 where nothing may look. In chunks."""
    found = []
    size = _rows_at_once(hf, texts.shape[1])
    for at in range(0, len(texts), size):
        chunk = texts[at : at + size].to(hf.device)  # (b, T)
        door.passed(chunk.numel())
        arguments = only_the_last(hf)
        if masks is not None:
            arguments["attention_mask"] = masks[at : at + size].to(hf.device)
            if takes(hf, "position_ids"):
                arguments["position_ids"] = torch.arange(chunk.shape[1], device=hf.device).expand_as(chunk)
        logits = hf(input_ids=chunk, use_cache=False, **arguments).logits[:, -1]  # (b, V)
        found.append(torch.log_softmax(logits, dim=-1)[:, token_id])
    return torch.cat(found)


def _rows_at_once(hf: PreTrainedModel, length: int) -> int:
    """How many texts of a length make a batch that fits the bound."""
    config = hf.config.get_text_config(decoder=True)
    heads = getattr(config, "num_attention_heads", 0)
    logits = config.vocab_size * (1 if takes(hf, "logits_to_keep") else length)
    return max(1, _CHUNK // (length * (3 * heads * length + 16 * config.hidden_size) + logits))


def _finite(values: Tensor) -> np.ndarray:
    """As float64. Raises EngineError(`not_finite`) for an infinity or what is not a number."""
    if not torch.isfinite(values).all():
        raise EngineError("not_finite", "the model gives a log-probability that is not a number")
    return values.double().numpy()
