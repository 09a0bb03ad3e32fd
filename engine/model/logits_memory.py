"""Logits of a prefix cache: those read last are held, the others are computed again from the final hidden state.

With a large vocabulary the logits are most of what a token takes: 608 of 727 kB for Qwen2.5 0.5B. They are equal to the
last bit when they are computed again: the model's own head runs over as many rows as in the pass that gave them, since
a matrix product of another shape rounds differently. A row of a product does not depend on the others, so those of
tokens that are evicted meanwhile may be zeros.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary, ref

import numpy as np
import torch

from engine.errors import EngineError
from engine.model.forward import Forward
from engine.model.token_output import TokenOutput
from engine.model.unembedding import Unembedding, unembedding_of

_TRIAL = (0, 1)  # token ids of the pass that shows whether logits can be computed again


class LogitsMemory:
    """Logits held by the outputs of one prefix cache, of which they take part of the memory. Thread-safe.

    nbytes  size of the logits held by the outputs in the cache

    `add`, `remove` and `drop` belong to the bookkeeping of the cache: its lock is held by the caller.
    """

    def __init__(self, forward: Forward, keep: int, lock: threading.Lock, make_room: Callable[[], None]) -> None:
        """keep: bytes that `drop` leaves; make_room: brings the cache to its bound, with its `lock` held."""
        self._unembedding = _exact_unembedding(forward)
        self._keep = keep
        self._lock = lock
        self._make_room = make_room
        self._members: set[TokenOutput] = set()  # outputs in the cache whose logits can be computed again
        self._held: OrderedDict[TokenOutput, None] = OrderedDict()  # members with logits, least recently read first
        self.nbytes = 0

    def attach(self, outputs: Sequence[TokenOutput], skipped: int = 0, batch: bool = False) -> None:
        """Let the outputs of one pass compute their logits again; no effect where the result would differ.

        skipped: rows of the pass before that of the first output; batch: whether each row is a text of its own.
        """
        if self._unembedding is None or outputs[0].hidden_states is None:
            return
        product = _Product(self._unembedding, skipped + len(outputs), batch)
        for row, output in enumerate(outputs, skipped):
            product.outputs[row] = ref(output)
            output.source = _Row(self, product, row)

    def add(self, output: TokenOutput) -> None:
        """Count an output that the cache takes in."""
        if output.source is not None:
            self._members.add(output)
            self._count(output)

    def remove(self, output: TokenOutput) -> None:
        """Forget an output that the cache evicts."""
        self._members.discard(output)
        if output in self._held:
            self._uncount(output)

    def drop(self, excess: int) -> None:
        """Drop the logits least recently read until `excess` bytes are free, or `keep` bytes are left."""
        while excess > 0 and self.nbytes > self._keep:
            output = next(iter(self._held))
            excess -= self._uncount(output)
            output.held_logits = None

    def _count(self, output: TokenOutput) -> None:
        if output.held_logits is not None:
            self._held[output] = None
            self.nbytes += output.held_logits.nbytes

    def _uncount(self, output: TokenOutput) -> int:
        del self._held[output]
        assert output.held_logits is not None
        self.nbytes -= output.held_logits.nbytes
        return output.held_logits.nbytes

    def held(self, output: TokenOutput) -> np.ndarray | None:
        """Logits (V,) that an output holds, marked as read last; None if they were dropped."""
        with self._lock:
            if output in self._held:
                self._held.move_to_end(output)
            return output.held_logits

    def compute(self, product: _Product, row: int) -> np.ndarray:
        """Logits (V,) of a row; it and those after it hold theirs again, as many as the memory keeps."""
        logits = product.rows_from(row, self._keep)
        with self._lock:
            for output, values in reversed(logits):  # the row itself last: it is read now
                output.held_logits = values
                if output in self._members:
                    self._count(output)
            self._make_room()
        return logits[0][1]


class _Row:
    """Row of a product: where the logits of one output come from."""

    def __init__(self, memory: LogitsMemory, product: _Product, row: int) -> None:
        self._memory = memory
        self._product = product
        self._row = row

    def read(self, output: TokenOutput) -> np.ndarray:
        """Logits of the output, (V,) float32."""
        logits = self._memory.held(output)
        if logits is None:
            with self._product.lock:
                logits = self._memory.held(output)  # another thread may have computed them
                if logits is None:
                    logits = self._memory.compute(self._product, self._row)
        return logits


class _Product:
    """Head's product of one pass, with n rows; `outputs` has those that still exist, by row."""

    def __init__(self, unembedding: Unembedding, n: int, batch: bool) -> None:
        self._unembedding = unembedding
        self._n = n
        self._batch = batch
        self.outputs: dict[int, ref[TokenOutput]] = {}
        self.lock = threading.Lock()

    def rows_from(self, first: int, nbytes: int) -> list[tuple[TokenOutput, np.ndarray]]:
        """Logits of row `first`, and of the rows after it that hold none, `nbytes` in all or the one row."""
        outputs = {row: output for row, reference in self.outputs.items() if (output := reference()) is not None}
        hidden = {row: output.hidden_states[-1] for row, output in outputs.items() if output.hidden_states is not None}
        states = torch.zeros((self._n, hidden[first].shape[-1]), dtype=hidden[first].dtype)  # (n, d)
        for row, state in hidden.items():
            states[row] = state
        logits = self._unembedding.logits(states, self._batch).numpy()  # (n, V)
        wanted = [row for row in sorted(outputs) if row >= first and outputs[row].held_logits is None]
        return [(outputs[row], logits[row].copy()) for row in wanted[: max(1, nbytes // logits[first].nbytes)]]


_lock = threading.Lock()
_unembeddings: WeakKeyDictionary[Forward, Unembedding | None] = WeakKeyDictionary()


def _exact_unembedding(forward: Forward) -> Unembedding | None:
    """Unembedding of a model if it reproduces the logits of a pass to the last bit, tried once per model; else None."""
    with _lock:
        if forward not in _unembeddings:
            _unembeddings[forward] = _tried_unembedding(forward)
        return _unembeddings[forward]


def _tried_unembedding(forward: Forward) -> Unembedding | None:
    try:
        unembedding = unembedding_of(forward)
    except EngineError:
        return None
    logits, hidden_states, _, _ = forward.run(_TRIAL, None)
    if hidden_states is None:
        return None
    return unembedding if torch.equal(unembedding.logits(hidden_states[:, -1].contiguous()), logits) else None
