"""Cache of what a server was asked: an output for each text, which is requested the first time that it is needed.

A local model computes the outputs of all tokens of a text in one pass; a server is asked for one at a time, and only
for those that somebody looks at. The outputs belong to the model, not to a visitor: a class with one prompt asks once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NoReturn, cast, overload

from engine.errors import EngineError
from engine.model.forward import Forward
from engine.model.prefix_cache import PrefixCache
from engine.model.token_output import TokenOutput

_OVERHEAD = 16  # bytes a token of a text that is a key


class NoForward:
    """What stands where a local model has its forward pass: nobody can look inside a model on a server.

    Every use but that of the constants raises EngineError(`remote_inside`).
    """

    supports_kv_cache = False
    rope_switch = None
    kv_shapes: tuple[tuple[int, int, int], ...] = ()
    weight_bytes = 0

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise EngineError("remote_inside", f"a server does not show {name}")


class RemoteCache(PrefixCache):
    """`PrefixCache` whose outputs come one by one from `request`, bounded to `max_bytes`. Thread-safe.

    counters.passes is the number of requests.
    """

    def __init__(self, request: Callable[[tuple[int, ...]], TokenOutput], max_bytes: int) -> None:
        super().__init__(cast(Forward, NoForward()), max_bytes)
        self._request = request
        self._outputs: OrderedDict[tuple[int, ...], TokenOutput] = OrderedDict()  # least recently used first
        self._running: dict[tuple[int, ...], threading.Event] = {}

    def __len__(self) -> int:
        return len(self._outputs)

    def records(self, token_ids: Sequence[int]) -> Sequence[TokenOutput]:
        """TokenOutput of each token of a text, each requested when it is looked at."""
        if not token_ids:
            raise ValueError("no tokens to compute")
        return _Outputs(self, tuple(token_ids), range(len(token_ids)))

    def known(self, token_ids: Sequence[int]) -> list[TokenOutput | None]:
        """TokenOutput of each token of a text as far as it is stored."""
        ids = tuple(token_ids)
        with self._lock:
            return [self._outputs.get(ids[: stop + 1]) for stop in range(len(ids))]

    def cached_length(self, token_ids: Sequence[int]) -> int:
        found = self.known(token_ids)
        return next((at for at, output in enumerate(found) if output is None), len(found))

    def add(self, token_ids: Sequence[int], output: TokenOutput) -> None:
        with self._lock:
            self._store(tuple(token_ids), output)

    def output(self, ids: tuple[int, ...]) -> TokenOutput:
        """Output of the last token of a text. Threads that need the same one request it once. Raises EngineError."""
        while True:
            with self._lock:
                if (stored := self._outputs.get(ids)) is not None:
                    self._outputs.move_to_end(ids)
                    return stored
                running = self._running.get(ids)
                if running is None:
                    done = self._running[ids] = threading.Event()
            if running is not None:
                running.wait()
                continue
            try:
                output = self._request(ids)
                self.count(len(ids))
                with self._lock:
                    self._store(ids, output)
                return output
            finally:
                with self._lock:
                    del self._running[ids]
                done.set()

    def _store(self, ids: tuple[int, ...], output: TokenOutput) -> None:
        """Caller holds the lock."""
        if ids not in self._outputs:
            self._record_nbytes += _size(ids, output)
        self._outputs[ids] = output
        while self._record_nbytes > self._max_bytes and len(self._outputs) > 1:
            old, dropped = self._outputs.popitem(last=False)
            self._record_nbytes -= _size(old, dropped)
            self.counters.evicted += 1


def _size(ids: tuple[int, ...], output: TokenOutput) -> int:
    return output.nbytes + _OVERHEAD * len(ids)


class _Outputs(Sequence[TokenOutput]):
    """Outputs of the tokens at `places` of a text, each requested when it is looked at."""

    def __init__(self, cache: RemoteCache, ids: tuple[int, ...], places: range) -> None:
        self._cache, self._ids, self._places = cache, ids, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> TokenOutput: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[TokenOutput]: ...
    def __getitem__(self, at: int | slice) -> TokenOutput | Sequence[TokenOutput]:
        if isinstance(at, slice):
            return _Outputs(self._cache, self._ids, self._places[at])
        return self._cache.output(self._ids[: self._places[at] + 1])
