"""What a model's attention heads do: summaries of the attention of any text, and small experiments, computed live.

The summaries take attention alone. The experiments run the model on texts made for them, past the prefix tree, so that
nothing a person looked at is pushed out; where a head looks is scored by `head_kinds.py`. None of it says why a token
was predicted: see `mattered.py` for that.
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
    """[layer][head]: what each head does on a fixed probe; computed once a model.

    The probe is a random string of ordinary tokens, written twice, and a short text in two languages. `same` and
    `induction` live off the first, where a token's neighbours mean nothing. Layers are those that have attention.
    Raises EngineError(`attention`) for a model that has none, `not_finite`.
    """
    with _lock:
        known = _described.get(model.prefix_cache.forward)
    if known is None:
        text = model.encode(_TEXT)[: model.context_length]
        known = describe_attention(
            *((attention_without_cache(model, ids), ids) for ids in (repeated_random_tokens(model, _SEED), text))
        )
        with _lock:
            _described[model.prefix_cache.forward] = known
    return known


def previous_token_head(model: Model) -> tuple[int, int, float]:
    """(layer, head, score): the head that looks most at the token before, and how much of its attention that is.

    It is the best there is, which need not be good: the score says. Raises as `describe`.
    """
    best = max((head for layer in describe(model) for head in layer), key=lambda head: head.previous)
    return best.layer, best.head, best.previous
