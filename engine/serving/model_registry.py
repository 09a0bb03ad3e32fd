"""The door through which the app asks for models: one copy for all sessions, and only those the host allows.

Two first visitors at once load a model once; others wait and see how far it is. Which models may be loaded besides
the bundled one is the host's word, see `config.py`: names or patterns (`uer/*`, `/models/*`), `*` for any.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
import sys
import threading
import time
import unicodedata
from concurrent.futures import Future
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from engine.bundled import BUNDLED_NAME
from engine.errors import ModelError
from engine.serving import config, json_logs

if TYPE_CHECKING:
    from engine.model.model import Model

MAX_LOADED_MODELS = 2  # in memory at once, the bundled one not counted


class ModelLoad:
    """A model on its way: `stage` says what is happening, `result` waits for it."""

    def __init__(self) -> None:
        self.stage = "libraries"
        self.future: Future[Model] = Future()

    @property
    def done(self) -> bool:
        return self.future.done()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; True once the model is there or has failed."""
        try:
            self.future.exception(seconds)
        except TimeoutError:
            return False
        return True

    def result(self) -> Model:
        """The model. Raises ModelError where it could not be loaded."""
        return self.future.result()


_lock = threading.Lock()
_preparing = threading.Lock()
_models: dict[str, ModelLoad] = {}  # least recently asked for first


def allowed(name: str) -> bool:
    """Whether this host lets the app load a model of that name.

    A pattern lets nobody out of the folder that it begins with: not by `..`, not by a link that leads elsewhere.
    """
    if name == BUNDLED_NAME:
        return True
    if config.current().demo or ".." in Path(name).parts or unicodedata.normalize("NFKC", name) != name:
        return False
    if any(unicodedata.category(character).startswith("C") for character in name):
        return False  # control characters, invisible ones, half a character
    return any(fnmatchcase(name, pattern) and _stays_in(name, pattern) for pattern in config.current().models)


def _stays_in(name: str, pattern: str) -> bool:
    """Whether what a name leads to, followed through links, is below the folder that the pattern begins with."""
    literal = re.split(r"[*?\[]", pattern)[0]
    if literal in (pattern, ""):
        return True  # that very name, or any
    folder = Path(literal[: literal.rfind("/") + 1] or ".")
    try:
        return not Path(name).exists() or Path(name).resolve().is_relative_to(folder.resolve())
    except OSError:  # a name too long for a path
        return True


def request(name: str = BUNDLED_NAME) -> ModelLoad:
    """Begin to load a model, or join those who wait for it or have it.

    Raises ModelError(`not_allowed`). A failed load is forgotten, so that the next request tries again.
    """
    if not allowed(name):
        raise ModelError("not_allowed", f"{name} is not among the models this host allows", name=name)
    with _lock:
        loading = _models.pop(name, None)
        if loading is None or (loading.done and loading.future.exception() is not None):
            loading = ModelLoad()
            threading.Thread(target=_load, args=(name, loading), name=f"load {name}", daemon=True).start()
        _models[name] = loading
        others = [n for n, entry in _models.items() if n != BUNDLED_NAME and entry.done]
        for old in others[:-MAX_LOADED_MODELS] if len(others) > MAX_LOADED_MODELS else ():
            del _models[old]
    return loading


def loaded() -> list[Model]:
    """The models that are in memory."""
    with _lock:
        return [entry.result() for entry in _models.values() if entry.done and entry.future.exception() is None]


def prefetch(model: Model, token_ids: tuple[int, ...] | None, after: float = 0.08) -> None:
    """Compute a text that will probably be asked for next, a moment from now, while the learner looks.

    Nothing is shown from it: it only puts the text's record into the tree, where the next look finds it. One text is
    prepared at a time; while one is, others are left to be computed when they are asked for.
    """
    if token_ids is None or not _preparing.acquire(blocking=False):
        return

    def compute() -> None:
        try:
            model.records(token_ids)
        finally:
            _preparing.release()

    timer = threading.Timer(after, compute)
    timer.daemon = True
    timer.start()


def _load(name: str, loading: ModelLoad) -> None:
    started = time.monotonic()
    _keep_small()
    try:
        import torch  # seconds, the first time: this thread's, not the page's

        from engine.model.loading import load

        # One thread a pass gives a class the best throughput, and the same numbers to everybody.
        torch.set_num_threads(1)

        def stage(what: str) -> None:
            loading.stage = what

        model = load(name, max_bytes=config.current().tree_bytes, stage=stage)
        _settle()
        loading.future.set_result(model)
        json_logs.event("model", name=name, seconds=round(time.monotonic() - started, 2))
    except BaseException as error:
        if not isinstance(error, ModelError):
            error = ModelError("broken", f"{name} could not be loaded: {error}", name=name)
        shown = name if re.fullmatch(r"[\w./-]+", name, re.ASCII) else None  # else it may be any text that was typed
        json_logs.event("model_failed", name=shown, code=error.code)
        loading.future.set_exception(error)


def _keep_small() -> None:
    """Let the system have back what a thread no longer uses (glibc; others need no word).

    Each of many threads would else keep a heap of its own, in which small records hold the place of large passes. Ten
    visitors who push each other out of a tree of 16 MB: 597 MB after forty seconds, not 754.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-8, 2)  # M_ARENA_MAX: two heaps for all threads
        libc.mallopt(-3, 2**17)  # M_MMAP_THRESHOLD: what is larger comes from the system and goes back there


def _settle() -> None:
    """Make a process that holds a model quick to answer."""
    if gc.get_freeze_count() == 0:
        # The libraries and the first model live as long as the process: no collection need look at them again. Later
        # models come and go, and must stay collectable.
        gc.collect()
        gc.freeze()
    # The thread that writes to the browser gets its turn after half a millisecond, not five, while a model computes.
    sys.setswitchinterval(0.0005)
