"""Descriptions of a model's attention heads, measured on fixed probe texts.

The probe passes bypass the prefix cache, so that they evict nothing. The scores are computed by `head_scores.py`; they
describe attention patterns, not why a token was predicted: for that see `attribution.py`.
"""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from engine.interpret.attention_maps import attention_without_cache
from engine.interpret.head_scores import HeadDescription, describe_attention
from engine.interpret.probe_texts import repeated_random_tokens
from engine.model.forward import Forward
from engine.model.model import Model

_SEED = 2022
_TEXT = "小貓看見小狗，小狗看見小貓。The cat saw the dog, and the dog saw the cat."

_lock = threading.Lock()
_described: WeakKeyDictionary[Forward, list[list[HeadDescription]]] = WeakKeyDictionary()


def describe(model: Model) -> list[list[HeadDescription]]:
    """Descriptions of all heads of a model, [layer][head], measured on a fixed probe; computed once per model.

    The probe is a random string of readable tokens, repeated once, and a short text in two languages.
    `duplicate_token` and `induction` depend mainly on the former, where the neighbours of a token carry no meaning.
    `layer` counts the layers with attention only. Raises EngineError: `attention` for a model without attention,
    `not_finite`.
    """
    with _lock:
        heads = _described.get(model.prefix_cache.forward)
    if heads is None:
        text = model.encode(_TEXT)[: model.context_length]
        # A vocabulary of digits, for instance, has no tokens for the text, or none that the model knows.
        usable = len(text) > 1 and max(text) < model.vocabulary.size
        probes = [repeated_random_tokens(model, _SEED), *([text] if usable else [])]
        heads = describe_attention(*((attention_without_cache(model, ids), ids) for ids in probes))
        with _lock:
            _described[model.prefix_cache.forward] = heads
    return heads


def previous_token_head(model: Model) -> tuple[int, int, float]:
    """(layer, head, score) of the head with the highest mean attention to the previous token; score is that mean.

    The head is the best of the model, but its score may still be low. Raises as `describe`.
    """
    best = max((head for layer in describe(model) for head in layer), key=lambda head: head.previous)
    return best.layer, best.head, best.previous
