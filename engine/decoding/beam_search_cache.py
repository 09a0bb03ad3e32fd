"""Beam searches that were made, so that whoever asks the same again sees what was computed: they belong to the model.

Bounded: the least recently asked for goes first, and all but the newest few give back the memory of their keys and
values, which are built again where such a search grows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from weakref import WeakValueDictionary

from engine.decoding.beam_search import BeamSearch
from engine.decoding.beam_types import BeamSettings
from engine.model.model import Model

MOST = 32
GROWING = 2  # searches that keep their keys and values

_lock = threading.Lock()
# Sessions hold the search that they show, so what two people look at is one search even when it is pushed out here.
_alive: WeakValueDictionary[tuple[int, tuple[int, ...], BeamSettings], BeamSearch] = WeakValueDictionary()
_newest: OrderedDict[tuple[int, tuple[int, ...], BeamSettings], BeamSearch] = OrderedDict()


def cached_beam_search(model: Model, ids: Sequence[int], settings: BeamSettings) -> BeamSearch:
    """The search of these arguments, begun if there is none. Raises what `BeamSearch` raises."""
    key = (id(model), tuple(ids), settings)
    with _lock:
        search = _alive.get(key)
    if search is None or search.model is not model:
        search = BeamSearch(model, ids, settings)  # outside the lock: it may take the model a while
    with _lock:
        other = _alive.get(key)
        if other is not None and other.model is model:
            search = other  # somebody else was quicker
        _alive[key] = _newest[key] = search
        _newest.move_to_end(key)
        if len(_newest) > MOST:
            _newest.popitem(last=False)
        for older in list(_newest.values())[:-GROWING]:
            older.release()
        return search
