"""Timed forward passes over one growing text, by a whole model or by its first layers, with a KV cache of their own.

The prefix cache is bypassed: it would return outputs without a pass, and what is measured here are the passes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine import usage
from engine.errors import EngineError, not_finite_error
from engine.model.forward import Forward, accepts_argument
from engine.model.kv_cache import KVCache
from engine.model.model import Model
from engine.model.module_copies import with_replaced
from engine.model.unembedding import nearly_equal, unembedding_of


class CachedText:
    """Passes over one text that grows and is cut back. Not thread-safe.

    passes   number of passes so far
    seconds  their time
    """

    def __init__(self, forward: Forward, module: nn.Module | None = None, layers: int | None = None) -> None:
        """`module`: a model of `layers` layers, by default that of `forward`."""
        self.passes, self.seconds = 0, 0.0
        self._forward = forward
        self._module: nn.Module = module or forward.model
        self._cache = KVCache(layers or forward.layers, forward.device) if forward.supports_kv_cache else None
        self._keep = accepts_argument(forward.model, "logits_to_keep")

    @torch.inference_mode()
    def logits(self, ids: Sequence[int], count: int = 1) -> Tensor:
        """Logits after each of the last `count` tokens of a text, in one pass: (count, V) float32 on the CPU.

        Tokens whose keys and values the cache holds are not passed again. Raises EngineError: `not_finite`, and
        what `usage.before_pass` raises.
        """
        known = self._cut_back(ids, len(ids) - count)
        new = list(ids[known:])
        usage.before_pass(len(new))
        arguments = {"logits_to_keep": count} if self._keep else {}
        past = {} if self._cache is None else {"past_key_values": self._cache.cache}
        tokens = torch.tensor([new], device=self._forward.device)  # (1, n)
        try:
            with self._forward.lock:
                started = time.perf_counter()
                out = self._module(input_ids=tokens, use_cache=self._cache is not None, **past, **arguments)
                logits: Tensor = out.logits[0, -count:].float().cpu()  # which waits for a GPU
                self.seconds += time.perf_counter() - started
        except BaseException:
            if self._cache is not None:
                self._cache.truncate(known)
            raise
        if self._cache is not None:
            self._cache.token_ids += new
        self.passes += 1
        if not torch.isfinite(torch.logsumexp(logits, dim=-1)).all():
            raise not_finite_error("the logits")
        return logits

    def _cut_back(self, ids: Sequence[int], most: int) -> int:
        """Crop the cache to the beginning that it shares with `ids`, at most `most` tokens. Returns its length."""
        if self._cache is None:
            return 0
        known = 0
        while known < min(most, len(self._cache.token_ids)) and self._cache.token_ids[known] == ids[known]:
            known += 1
        self._cache.truncate(known)
        return known


def room_for(model: Model, length: int, most: int) -> int:
    """Number of tokens, at least 1 and at most `most`, that fit after a text of `length` tokens.

    They do not pass the switch of a LongRoPE model, at which all keys so far would have to be computed again.
    """
    switch = model.prefix_cache.forward.rope_switch or model.context_length
    return max(1, min(most, (switch if length <= switch else model.context_length) - length))


def first_layers(forward: Forward, layers: int) -> nn.Module:
    """A model of the first `layers` layers of another, with its final norm and head; all weights are shared.

    Its predictions are those of the logit lens after that layer. Raises EngineError(`lens`) for a family whose layers
    are not found, or whose code does not run with fewer of them.
    """
    unembedding = unembedding_of(forward)
    blocks = forward.model.get_submodule(unembedding.blocks)
    shorter = nn.ModuleList([blocks.get_submodule(str(at)) for at in range(layers)])
    module = with_replaced(forward.model, unembedding.blocks, lambda _: shorter)
    whole = forward.run([0, 1], None)
    if whole.hidden_states is None:
        raise EngineError("lens", "this model returns no hidden states")
    expected = unembedding.logits(unembedding.normed(whole.hidden_states[:, layers]))  # (2, V)
    try:
        found = CachedText(forward, module, layers).logits([0, 1], 2)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise EngineError("lens", f"this model family does not run with fewer layers: {error}") from error
    if not nearly_equal(found, expected):
        raise EngineError("lens", "the first layers alone do not predict what the logit lens shows")
    return module
