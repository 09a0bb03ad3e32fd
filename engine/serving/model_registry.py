"""Registry of loaded models, shared by all sessions; background loading of the models that the host allows.

Concurrent requests for a model share one load, whose progress is visible. `allowed_models.py` says what may be loaded.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
import sys
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from engine.bundled import BUNDLED_NAME
from engine.errors import ModelError
from engine.serving import config, endpoints, json_logs
from engine.serving.allowed_models import allowed

if TYPE_CHECKING:
    from engine.model.model import Model

MAX_LOADED_MODELS = 2  # kept by the registry at once, besides the bundled one and those of endpoints


class ModelLoad:
    """A model being loaded.

    stage   `libraries`, then the stages of `engine.model.loading.load`
    bytes   done and in all, of the stage `download`; (0, 0) before it
    future  the model, or a ModelError
    """

    def __init__(self) -> None:
        self.stage = "libraries"
        self.bytes = (0, 0)
        self.future: Future[Model] = Future()
        self._stop = threading.Event()

    def stop(self) -> None:
        """End the load, for everyone who waits for it, with ModelError(`stopped`). Without effect once it is done.

        A download ends at once and is continued by the next request; reading weights ends with that stage.
        """
        self._stop.set()

    @property
    def done(self) -> bool:
        """Whether the model is loaded or has failed to load."""
        return self.future.done()

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds`; returns `done`."""
        try:
            self.future.exception(seconds)
        except TimeoutError:
            return False
        return True

    def result(self) -> Model:
        """The model; waits until it is loaded. Raises ModelError."""
        return self.future.result()


_lock = threading.Lock()
_prefetching = threading.Lock()  # held while a text is scheduled or computed
_models: dict[str, ModelLoad] = {}  # least recently requested first


def request(name: str = BUNDLED_NAME) -> ModelLoad:
    """The load of a model, started if necessary, running or done.

    A failed load is retried by the next request. Beyond MAX_LOADED_MODELS, the least recently requested models are
    dropped from the registry. Raises ModelError(`not_allowed`).
    """
    if not allowed(name):
        raise ModelError("not_allowed", f"{name} is not among the models this host allows", name=name)
    with _lock:
        loading = _models.pop(name, None)
        if loading is None or (loading.done and loading.future.exception() is not None):
            loading = ModelLoad()
            threading.Thread(target=_load, args=(name, loading), name=f"load {name}", daemon=True).start()
        _models[name] = loading
        others = [n for n, entry in _models.items() if n != BUNDLED_NAME and entry.done and endpoints.find(n) is None]
        for old in others[:-MAX_LOADED_MODELS] if len(others) > MAX_LOADED_MODELS else ():
            del _models[old]
    return loading


def loaded() -> list[Model]:
    """Models that the registry has loaded."""
    with _lock:
        return [entry.result() for entry in _models.values() if entry.done and entry.future.exception() is None]


class MemoryUse(NamedTuple):
    """Memory of a loaded model in bytes: its weights, and its prefix cache as filled so far."""

    name: str
    weights: int
    cache: int


def memory_use() -> list[MemoryUse]:
    """Memory of every model that the registry holds, the bundled one included."""
    return [MemoryUse(model.name, model.weight_bytes, model.prefix_cache.nbytes) for model in loaded()]


def unload(name: str) -> bool:
    """Drop a model from the registry, or stop its load; whether there was one. The bundled model stays.

    Its memory is free as soon as no visitor computes with it; a visitor who still uses it has it loaded again.
    """
    if name == BUNDLED_NAME:
        return False
    with _lock:
        loading = _models.pop(name, None)
    if loading is None:
        return False
    loading.stop()
    del loading
    gc.collect()  # modules and their hooks refer to each other
    return True


def prefetch(model: Model, token_ids: tuple[int, ...] | None, after: float) -> threading.Event | None:
    """Compute a text that will probably be requested next in the background, starting in `after` seconds.

    The outputs go into the prefix cache of the model. One text is prefetched at a time; calls in the meantime, calls
    with None and those for a model on a server, whose requests may cost money, do nothing. Returns an event that is set
    when the outputs are there, None if nothing is computed.
    """
    if token_ids is None or model.is_remote or not _prefetching.acquire(blocking=False):
        return None
    there = threading.Event()

    def compute() -> None:
        try:
            model.records(token_ids)
            there.set()
        finally:
            _prefetching.release()

    timer = threading.Timer(after, compute)
    timer.daemon = True
    timer.start()
    return there


def _load(name: str, loading: ModelLoad) -> None:
    started = time.monotonic()
    _limit_heap_growth()
    first = gc.get_freeze_count() == 0
    if first:
        gc.disable()  # the libraries stay: collections while they are imported free nothing, in some 0.3 s
    # The thread that writes to the browser runs after 0.5 ms instead of 5 ms while a model is loaded or computes.
    sys.setswitchinterval(0.0005)
    try:
        import torch  # takes seconds the first time, so it is imported on this thread

        from engine.model.loading import load

        # One thread a pass has the best throughput for many users, and gives all of them identical numbers.
        torch.set_num_threads(1)

        def set_stage(stage: str) -> None:
            loading.stage = stage

        def set_bytes(done: int, total: int) -> None:
            loading.bytes = done, total

        model = (
            endpoints.connect(name, set_stage)
            if endpoints.find(name)
            else load(
                name,
                max_bytes=config.current().tree_bytes,
                stage=set_stage,
                progress=set_bytes,
                stop=loading._stop,
                dtype="float32" if name == BUNDLED_NAME else config.current().dtype,
                place="cpu" if name == BUNDLED_NAME else config.current().device,
            )
        )
        if first:
            _freeze_objects()
        loading.future.set_result(model)
        seconds = round(time.monotonic() - started, 2)
        json_logs.event("model", name=name, seconds=seconds, dtype=model.dtype, device=model.device)
    except BaseException as error:
        if not isinstance(error, ModelError):
            error = ModelError("broken", f"{name} could not be loaded: {error}", name=name)
        loggable = name if re.fullmatch(r"[\w./@-]+", name, re.ASCII) else None  # other names may be user text
        json_logs.event("model_failed", name=loggable, code=error.code)
        loading.future.set_exception(error)
    finally:
        gc.enable()


def _limit_heap_growth() -> None:
    """Make glibc return freed memory: M_ARENA_MAX = 2, M_MMAP_THRESHOLD = 128 KiB. No effect on other systems.

    Otherwise each thread has a heap of its own, in which small cached outputs prevent the release of the large blocks
    of forward passes. Measured with ten visitors evicting each other from a prefix cache of 16 MB: 597 MB after forty
    seconds instead of 754 MB.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-8, 2)  # M_ARENA_MAX: heaps shared by all threads
        libc.mallopt(-3, 2**17)  # M_MMAP_THRESHOLD: larger blocks are mapped, and unmapped when freed


def _freeze_objects() -> None:
    """Exempt all objects from garbage collection: the libraries and the first model stay until the process exits.

    Collections after it take less time. Later models are dropped at some point and must remain collectable.
    """
    gc.collect()
    gc.freeze()
