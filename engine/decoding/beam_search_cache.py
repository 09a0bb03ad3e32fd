"""Cache of beam searches, keyed by model, token ids and settings, so that equal requests share one search.

Bounded, least recently used evicted first. All but the most recent searches release the memory of their KV cache,
which is rebuilt when such a search grows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from weakref import WeakValueDictionary

from engine.decoding.beam_search import BeamSearch
from engine.decoding.beam_types import BeamSettings
from engine.model.model import Model

MAX_SEARCHES = 32
MAX_WITH_KV_CACHE = 2  # most recent searches that may hold a KV cache

_lock = threading.Lock()
# A session holds a reference to the search that it shows. The weak dictionary finds that search even after it was
# evicted from `_recent`, so that two sessions still share it.
_alive: WeakValueDictionary[tuple[int, tuple[int, ...], BeamSettings], BeamSearch] = WeakValueDictionary()
_recent: OrderedDict[tuple[int, tuple[int, ...], BeamSettings], BeamSearch] = OrderedDict()


def cached_beam_search(model: Model, ids: Sequence[int], settings: BeamSettings) -> BeamSearch:
    """The cached search for these arguments, created if there is none. Raises as `BeamSearch`."""
    key = (id(model), tuple(ids), settings)
    with _lock:
        search = _alive.get(key)
    if search is None or search.model is not model:  # an id may be reused after its model was freed
        search = BeamSearch(model, ids, settings)  # outside the lock: this may run a forward pass
    with _lock:
        other = _alive.get(key)
        if other is not None and other.model is model:
            search = other  # another thread created it first
        _alive[key] = _recent[key] = search
        _recent.move_to_end(key)
        if len(_recent) > MAX_SEARCHES:
            _recent.popitem(last=False)
        for older in list(_recent.values())[:-MAX_WITH_KV_CACHE]:
            older.release()
        return search
