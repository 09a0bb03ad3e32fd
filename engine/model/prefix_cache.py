"""The prefix tree: every text that was looked at, with what the model computed for each of its tokens.

Attention is causal, so what a model computed for a token never depends on what follows. Advancing is one pass over
one token, looking at an earlier step is none, branching is one. The tree belongs to the model and not to a person:
thirty students with the same prompt share one computation.

The tree is bounded in bytes; the least recently used leaves go first, and what was dropped is computed again when it
is asked for. Many threads may use it at once. It does not know what the tokens mean.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.model.forward import Forward, ForwardOutput
from engine.model.kv_cache import KVCache
from engine.model.token_output import TokenOutput

_BUFFERS = 8


@dataclass(eq=False, slots=True)
class _Node:
    token_id: int
    parent: _Node | None
    record: TokenOutput | None  # None at the root alone
    children: dict[int, _Node] = field(default_factory=dict)
    pending: dict[int, threading.Event] = field(default_factory=dict)


@dataclass(slots=True)
class Counters:
    """What the tree has done so far; `tokens` counts each token that went through the model."""

    passes: int = 0
    tokens: int = 0
    evicted: int = 0


class PrefixCache:
    def __init__(self, forward: Forward, max_bytes: int) -> None:
        self.forward = forward
        self._max_bytes = max_bytes
        self._root = _Node(-1, None, None)
        self._lock = threading.Lock()
        # Least recently used first. A walk renews a path from its end to the root, so a child is never younger than
        # its parent and the oldest node is always a leaf.
        self._used: OrderedDict[_Node, None] = OrderedDict()
        self._buffers: list[KVCache] = []  # most recently used last
        self.nbytes = 0
        self.counters = Counters()

    def __len__(self) -> int:
        return len(self._used)

    def records(self, token_ids: Sequence[int]) -> list[TokenOutput]:
        """One record a token of the text. Computes only what is not in the tree, in one pass.

        Two threads that ask for the same text compute it once. Raises whatever the model raises.
        """
        if not token_ids:
            raise ValueError("a text of no tokens has no records")
        while True:
            with self._lock:
                node, found = self._walk(token_ids)
                if len(found) == len(token_ids):
                    return found
                first = token_ids[len(found)]
                other = node.pending.get(first)
                if other is None:
                    mine = node.pending[first] = threading.Event()
            if other is not None:
                other.wait()
                continue
            try:
                new = self._compute(token_ids, found)
                with self._lock:
                    self._insert(node, token_ids[len(found) :], new)
                return found + new
            finally:
                with self._lock:
                    del node.pending[first]
                mine.set()

    def add(self, token_ids: Sequence[int], record: TokenOutput) -> None:
        """Hang a text's last token into the tree, computed elsewhere; nothing where its beginning was dropped."""
        with self._lock:
            node, path = self._root, []
            for token_id in token_ids[:-1]:
                below = node.children.get(token_id)
                if below is None:
                    return
                node = below
                path.append(node)
            if token_ids[-1] in node.children:
                return
            child = node.children[token_ids[-1]] = _Node(token_ids[-1], node, record)
            self.nbytes += record.nbytes
            self._used[child] = None
            for above in reversed(path):
                self._used.move_to_end(above)
            self._evict()

    def _walk(self, token_ids: Sequence[int]) -> tuple[_Node, list[TokenOutput]]:
        """The deepest known node on the way to a text, and the records up to it; renews them. Under the lock."""
        node, found = self._root, []
        path = []
        for token_id in token_ids:
            child = node.children.get(token_id)
            if child is None or child.record is None:
                break
            node = child
            path.append(node)
            found.append(child.record)
        for seen in reversed(path):
            self._used.move_to_end(seen)
        return node, found

    def _compute(self, token_ids: Sequence[int], found: list[TokenOutput]) -> list[TokenOutput]:
        known = len(found)
        if not self.forward.uses_buffer:
            recorded = self.forward.run(token_ids, None)
            self.count(len(token_ids))
            return _split(recorded, len(token_ids) - known, known)
        buffer = self._acquire(token_ids[:known])
        try:
            shared = len(buffer.token_ids)
            columns = [record.key_values for record in found[shared:] if record.key_values is not None]
            buffer.restore(token_ids[shared:known], columns, self.forward.shapes)
            recorded = self.forward.run(token_ids[known:], buffer)
            self.count(len(token_ids) - known)
        finally:
            self._release(buffer)
        return _split(recorded, len(token_ids) - known, known)

    def count(self, tokens: int) -> None:
        """A pass over so many tokens was made."""
        with self._lock:
            self.counters.passes += 1
            self.counters.tokens += tokens

    def _acquire(self, token_ids: Sequence[int]) -> KVCache:
        """A buffer for this thread alone, cut back to the longest beginning that it shares with the text."""
        with self._lock:
            best, shared, wanted = None, -1, list(token_ids)
            for buffer in reversed(self._buffers):
                if buffer.token_ids == wanted:  # the newest end goes on: nothing to compare with the others
                    best, shared = buffer, len(wanted)
                    break
                common = _common(buffer.token_ids, wanted)
                # A buffer that ends within the text is taken before one that would lose its own end.
                if (common, -len(buffer.token_ids)) > (shared, -len(best.token_ids) if best else 0):
                    best, shared = buffer, common
            wasteful = best is not None and shared < len(best.token_ids) and len(self._buffers) < _BUFFERS
            if best is None or wasteful:
                return KVCache(self.forward.layers)
            self._buffers.remove(best)
        best.truncate(shared)
        return best

    def _release(self, buffer: KVCache) -> None:
        with self._lock:
            self._buffers.append(buffer)
            del self._buffers[:-_BUFFERS]

    def _insert(self, node: _Node, token_ids: Sequence[int], records: list[TokenOutput]) -> None:
        """Hang computed tokens below a node, then evict down to the budget. Under the lock."""
        added = []
        for token_id, record in zip(token_ids, records, strict=True):
            child = node.children.get(token_id)
            if child is None:
                child = node.children[token_id] = _Node(token_id, node, record)
                self.nbytes += record.nbytes
            added.append(child)
            node = child
        for child in reversed(added):
            self._used[child] = None
            self._used.move_to_end(child)
        above = added[0].parent
        while above is not None and above.parent is not None:
            self._used.move_to_end(above)
            above = above.parent
        self._evict()

    def _evict(self) -> None:
        for node in list(self._used) if self.nbytes > self._max_bytes else ():
            if self.nbytes <= self._max_bytes:
                break
            if node.children or node.pending:
                continue  # another thread is about to hang something here
            assert node.parent is not None and node.record is not None
            del node.parent.children[node.token_id]
            del self._used[node]
            self.nbytes -= node.record.nbytes
            self.counters.evicted += 1


def _common(left: list[int], right: list[int]) -> int:
    """Length of the beginning that two texts share."""
    shortest = min(len(left), len(right))
    if left[:shortest] == right[:shortest]:
        return shortest
    return next(i for i in range(shortest) if left[i] != right[i])


def _split(recorded: ForwardOutput, n: int, known: int) -> list[TokenOutput]:
    """Records of the last n tokens of a pass, the first of which stands at position `known`."""
    logits, hidden, rows, columns = recorded
    return [
        TokenOutput.of(
            logits[i - n],
            None if hidden is None else hidden[i - n],
            None if rows is None else rows[:, :, i - n, : known + i + 1],
            None if columns is None else columns[i - n],
        )
        for i in range(n)
    ]
