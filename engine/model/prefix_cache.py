"""Prefix cache: a tree of all computed texts with the model's output for each token.

Models are causal: the output for a token never depends on later tokens. (The one exception, LongRoPE, has a tree for
each of its two encodings.) Appending a token therefore costs one pass over one token, revisiting an earlier step costs
none, and branching costs one. The tree belongs to the model, not to a user: thirty students with the same prompt share
one computation.

The tree is bounded in bytes. Where memory is short, logits leave first, which the head alone computes again
(`logits_memory.py`); then the least recently used leaves are evicted, which take a pass. It is thread-safe and
independent of the tokenizer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.model.forward import Forward, ForwardOutput
from engine.model.kv_cache import KVCache
from engine.model.logits_memory import LogitsMemory
from engine.model.token_output import TokenOutput

_MAX_KV_CACHES = 8
_LOGITS_SHARE = 4  # one part in so many of the memory is left to logits when it is short


@dataclass(eq=False, slots=True)
class _Node:
    """Token of the tree. `pending` has an event for each child that a thread is computing, set when it is done."""

    token_id: int
    parent: _Node | None
    output: TokenOutput | None  # None only at the root
    children: dict[int, _Node] = field(default_factory=dict)
    pending: dict[int, threading.Event] = field(default_factory=dict)


@dataclass(slots=True)
class Counters:
    """Numbers of forward passes, of tokens computed in them, and of evicted nodes, since the cache was created."""

    passes: int = 0
    tokens: int = 0
    evicted: int = 0


class PrefixCache:
    """Prefix tree of TokenOutputs for one model, bounded to `max_bytes`. Thread-safe.

    logits  the part of it that holds logits; len() is the number of stored outputs
    """

    def __init__(self, forward: Forward, max_bytes: int) -> None:
        self.forward = forward
        self._max_bytes = max_bytes
        # A second tree holds texts beyond `rope_switch`, whose tokens all have other outputs than in shorter texts.
        self._roots = {False: _Node(-1, None, None), True: _Node(-1, None, None)}
        self._lock = threading.Lock()
        # Least recently used first. A lookup renews a path from its end to the root, so that a child is never more
        # recent than its parent and the least recent node is always a leaf.
        self._lru: OrderedDict[_Node, None] = OrderedDict()
        self._kv_caches: list[KVCache] = []  # most recently used last
        self._record_nbytes = 0
        self.logits = LogitsMemory(forward, max_bytes // _LOGITS_SHARE, self._lock, self._evict)
        self.counters = Counters()

    def __len__(self) -> int:
        return len(self._lru)

    @property
    def nbytes(self) -> int:
        """Size in bytes of all stored outputs."""
        return self._record_nbytes + self.logits.nbytes

    def records(self, token_ids: Sequence[int]) -> Sequence[TokenOutput]:
        """TokenOutput of each token of a text. Tokens that are not in the tree are computed in one pass.

        Threads that request the same text compute it once. Raises ValueError for an empty text, and any error of the
        model.
        """
        if not token_ids:
            raise ValueError("no tokens to compute")
        while True:
            with self._lock:
                node, cached = self._lookup(token_ids)
                if len(cached) == len(token_ids):
                    return cached
                next_id = token_ids[len(cached)]
                computing = node.pending.get(next_id)
                if computing is None:
                    done = node.pending[next_id] = threading.Event()
            if computing is not None:
                computing.wait()
                continue
            try:
                new = self._compute(token_ids, cached)
                with self._lock:
                    self._insert(node, token_ids[len(cached) :], new)
                return cached + new
            finally:
                with self._lock:
                    del node.pending[next_id]
                done.set()

    def cached_length(self, token_ids: Sequence[int]) -> int:
        """Number of tokens, from the beginning of a text, whose outputs are stored."""
        with self._lock:
            return len(self._lookup(token_ids)[1])

    def add(self, token_ids: Sequence[int], output: TokenOutput) -> None:
        """Insert the output of a text's last token, computed elsewhere; no effect if its prefix is not in the tree."""
        with self._lock:
            node, path = self._roots[self.is_beyond_switch(len(token_ids))], []
            for token_id in token_ids[:-1]:
                next_node = node.children.get(token_id)
                if next_node is None:
                    return
                node = next_node
                path.append(node)
            if token_ids[-1] in node.children:
                return
            child = self._new_node(node, token_ids[-1], output)
            self._lru[child] = None
            for ancestor in reversed(path):
                self._lru.move_to_end(ancestor)
            self._evict()

    def _lookup(self, token_ids: Sequence[int]) -> tuple[_Node, list[TokenOutput]]:
        """Node of the longest cached prefix of a text, with its outputs; marks them as used. Caller holds the lock."""
        node, cached = self._roots[self.is_beyond_switch(len(token_ids))], []
        path = []
        for token_id in token_ids:
            child = node.children.get(token_id)
            if child is None or child.output is None:
                break
            node = child
            path.append(node)
            cached.append(child.output)
        for visited in reversed(path):
            self._lru.move_to_end(visited)
        return node, cached

    def _compute(self, token_ids: Sequence[int], cached: list[TokenOutput]) -> list[TokenOutput]:
        """Outputs of the tokens after the `cached` ones, in one pass; in several where that gives NaN."""
        new = self._run(token_ids, cached)
        # 0 · NaN is NaN: in one pass, the NaN of a token spreads to those before it, which other texts share.
        at_fault = len(new) == 1 or (cached and cached[-1].is_nan)
        if at_fault or not new[0].is_nan or self.is_beyond_switch(len(token_ids)):
            return new
        first = self._compute(token_ids[: len(cached) + len(new) // 2], cached)
        return first + self._compute(token_ids, cached + first)

    def _run(self, token_ids: Sequence[int], cached: list[TokenOutput]) -> list[TokenOutput]:
        """Outputs of the tokens after the `cached` ones, in one pass; over the whole text without KV cache support."""
        start = len(cached)
        if not self.forward.supports_kv_cache:
            output = self.forward.run(token_ids, None)
            self.count(len(token_ids))
            return self._split(output, len(token_ids) - start, start)
        kv_cache = self._acquire(token_ids[:start], self.is_beyond_switch(len(token_ids)))
        try:
            shared = len(kv_cache.token_ids)
            key_values = [past.key_values for past in cached[shared:] if past.key_values is not None]
            kv_cache.restore(token_ids[shared:start], key_values, self.forward.kv_shapes)
            output = self.forward.run(token_ids[start:], kv_cache)
            if output.logits[0, 0].isnan():  # so are the keys and values, of all but the first layer
                kv_cache.truncate(start)
            self.count(len(token_ids) - start)
        finally:
            self._release(kv_cache)
        return self._split(output, len(token_ids) - start, start)

    def _split(self, output: ForwardOutput, n: int, start: int) -> list[TokenOutput]:
        """One TokenOutput for each of the last n tokens of a pass, the first of which is at position `start`."""
        logits, hidden_states, attentions, key_values = output
        outputs = [
            TokenOutput.of(
                logits[i - n],
                None if hidden_states is None else hidden_states[i - n],
                None if attentions is None else attentions[:, :, i - n, : start + i + 1],
                None if key_values is None else key_values[i - n],
            )
            for i in range(n)
        ]
        self.logits.attach(outputs, skipped=len(logits) - n)
        return outputs

    def count(self, tokens: int) -> None:
        """Add a pass over `tokens` tokens to the counters."""
        with self._lock:
            self.counters.passes += 1
            self.counters.tokens += tokens

    def is_beyond_switch(self, length: int) -> bool:
        """Whether texts of so many tokens are in the tree of long texts, see `Forward.rope_switch`."""
        return self.forward.rope_switch is not None and length > self.forward.rope_switch

    def _acquire(self, token_ids: Sequence[int], beyond_switch: bool) -> KVCache:
        """KV cache for this thread alone, cropped to the longest prefix that it shares with the text."""
        with self._lock:
            best, shared, prefix = None, -1, list(token_ids)
            for kv_cache in reversed(self._kv_caches):
                if kv_cache.beyond_switch != beyond_switch:
                    continue
                if kv_cache.token_ids == prefix:  # exact match: no need to compare the others
                    best, shared = kv_cache, len(prefix)
                    break
                common = _common_prefix_length(kv_cache.token_ids, prefix)
                # Of equal matches take the shortest, which loses the fewest tokens when it is cropped.
                if (common, -len(kv_cache.token_ids)) > (shared, -len(best.token_ids) if best else 0):
                    best, shared = kv_cache, common
            # Crop the cache of another text only if no further one may be allocated.
            avoidable = best is not None and shared < len(best.token_ids) and len(self._kv_caches) < _MAX_KV_CACHES
            if best is None or avoidable:
                return KVCache(self.forward.layers, self.forward.device, beyond_switch)
            self._kv_caches.remove(best)
        best.truncate(shared)
        return best

    def _release(self, kv_cache: KVCache) -> None:
        """Return a KV cache to the pool, and drop the least recently used ones beyond its bound."""
        with self._lock:
            self._kv_caches.append(kv_cache)
            del self._kv_caches[:-_MAX_KV_CACHES]

    def _new_node(self, parent: _Node, token_id: int, output: TokenOutput) -> _Node:
        """Node inserted below `parent`. Caller holds the lock."""
        child = parent.children[token_id] = _Node(token_id, parent, output)
        self._record_nbytes += output.record_nbytes
        self.logits.add(output)
        return child

    def _insert(self, node: _Node, token_ids: Sequence[int], outputs: list[TokenOutput]) -> None:
        """Insert computed tokens below a node, then evict down to the byte budget. Caller holds the lock."""
        added = []
        for token_id, output in zip(token_ids, outputs, strict=True):
            child = node.children.get(token_id)
            if child is None:
                child = self._new_node(node, token_id, output)
            added.append(child)
            node = child
        for child in reversed(added):
            self._lru[child] = None
            self._lru.move_to_end(child)
        ancestor = added[0].parent
        while ancestor is not None and ancestor.parent is not None:
            self._lru.move_to_end(ancestor)
            ancestor = ancestor.parent
        self._evict()

    def _evict(self) -> None:
        """Drop logits, then least recently used leaves, down to the byte budget. Caller holds the lock."""
        self.logits.drop(self.nbytes - self._max_bytes)
        for node in list(self._lru) if self.nbytes > self._max_bytes else ():
            if self.nbytes <= self._max_bytes:
                break
            if node.children or node.pending:
                continue  # not a leaf, or another thread is about to insert a child
            assert node.parent is not None and node.output is not None
            del node.parent.children[node.token_id]
            del self._lru[node]
            self._record_nbytes -= node.output.record_nbytes
            self.logits.remove(node.output)
            self.counters.evicted += 1


def _common_prefix_length(left: list[int], right: list[int]) -> int:
    shortest = min(len(left), len(right))
    return shortest if left[:shortest] == right[:shortest] else next(i for i in range(shortest) if left[i] != right[i])
