"""Failed passes: the error reaches the caller; the tree, its KV caches and waiting threads stay usable."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from engine.model.kv_cache import KVCache
from engine.model.model import Model
from tests.engine.conftest import Tiny
from tests.engine.model.test_prefix_cache_bound import check


@contextmanager
def before_each_pass(model: Model, call: Callable[[], None]) -> Iterator[None]:
    """Run `call` at the beginning of every forward pass."""
    handle = model.prefix_cache.forward.model.register_forward_pre_hook(lambda *_: call())
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def failing_in_the_last_layer(model: Model) -> Iterator[None]:
    """Raise MemoryError in the last layer, after the first layers have appended their keys."""

    def fail(module: torch.nn.Module, _: object) -> None:
        if type(module).__name__.endswith(("MLP", "Mixer")):
            fail.calls += 1  # type: ignore[attr-defined]
            if fail.calls == 3:  # type: ignore[attr-defined]
                raise MemoryError("no room")

    fail.calls = 0  # type: ignore[attr-defined]
    handles = [module.register_forward_pre_hook(fail) for module in model.prefix_cache.forward.model.modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def agrees(each: Tiny, model: Model, ids: tuple[int, ...]) -> None:
    want = each.forward(ids).logits[0].numpy()
    np.testing.assert_allclose(np.stack([output.logits for output in model.records(ids)]), want, atol=2e-4, rtol=1e-4)


def test_after_a_failure_everything_goes_on(each: Tiny) -> None:
    model = each.fresh()
    ids = tuple(range(10, 30))
    for text in (ids[:8], (*ids[:8], 3), ids, (*ids[:4], 5, 6)):
        with failing_in_the_last_layer(model), pytest.raises(MemoryError):
            model.records(text)
        check(model.prefix_cache, 2**40)
        agrees(each, model, text)
    assert model.prefix_cache.counters.passes == 4  # failed passes are not counted


def test_a_buffer_is_as_before(attentive: Tiny) -> None:
    """A failed pass leaves the KV cache unchanged, ready for the next one."""
    model = attentive.fresh()
    forward = model.prefix_cache.forward
    ids = tuple(range(10, 20))
    kv_cache = KVCache(forward.layers, forward.device)
    forward.run(ids[:6], kv_cache)
    with failing_in_the_last_layer(model), pytest.raises(MemoryError):
        forward.run(ids[6:], kv_cache)
    assert kv_cache.token_ids == list(ids[:6]) and {layer.length for layer in kv_cache.layers} == {6}
    logits = forward.run(ids[6:], kv_cache).logits
    torch.testing.assert_close(logits, attentive.forward(ids).logits[0, 6:], atol=2e-4, rtol=1e-4)


def until_waiting(thread: threading.Thread) -> None:
    """Block until a thread waits for the pass of another one."""
    while True:
        frame = sys._current_frames().get(thread.ident or 0)
        while frame is not None:
            if frame.f_code.co_name == "wait":
                return
            frame = frame.f_back
        time.sleep(0.001)


def test_who_waited_for_a_pass_that_failed_computes_it_himself(each: Tiny) -> None:
    model = each.fresh()
    ids = tuple(range(10, 20))
    entered, proceed = threading.Event(), threading.Event()
    results: dict[str, object] = {}

    def fail_once() -> None:
        if not entered.is_set():
            entered.set()
            proceed.wait()
            raise RuntimeError("once")

    def request(name: str) -> None:
        try:
            results[name] = model.records(ids)
        except RuntimeError as error:
            results[name] = error

    with before_each_pass(model, fail_once):
        first = threading.Thread(target=request, args=("first",))
        first.start()
        entered.wait()
        others = [threading.Thread(target=request, args=(f"other {i}",)) for i in range(3)]
        for thread in others:
            thread.start()
            until_waiting(thread)
        proceed.set()
        for thread in (first, *others):
            thread.join()
    assert isinstance(results.pop("first"), RuntimeError)
    assert len(results) == 3
    for answer in results.values():
        assert isinstance(answer, list) and len(answer) == len(ids)
    assert model.prefix_cache.counters.passes == 1
    check(model.prefix_cache, 2**40)
    agrees(each, model, ids)


def test_no_tokens_are_no_text(gpt2: Tiny) -> None:
    with pytest.raises(ValueError, match="no tokens"):
        gpt2.model.prefix_cache.records([])
