"""Logits of the prefix cache: computed again to the last bit where memory is short, and held as long as it is not."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.interpret.logit_lens import logit_lens
from engine.model import logits_memory
from engine.model.batch import TextBatch
from engine.model.loading import load
from engine.model.model import Model
from engine.model.prefix_cache import PrefixCache
from engine.model.token_output import TokenOutput
from tests.engine.conftest import Tiny
from tests.engine.model.test_prefix_cache_bound import check, nodes

IDS = tuple(range(10, 30))


def dropped(tree: PrefixCache) -> Sequence[TokenOutput]:
    """Outputs of the tree that hold no logits."""
    outputs = [node.output for node in nodes(tree) if node.output is not None]
    return [output for output in outputs if output.held_logits is None]


def empty_of_logits(model: Model, outputs: Sequence[TokenOutput]) -> None:
    """Drop the logits of every output, as if memory were short."""
    memory = model.prefix_cache.logits
    with model.prefix_cache._lock:
        memory._keep, keep = 0, memory._keep
        memory.drop(2**60)
        memory._keep = keep
    assert memory.nbytes == 0 and all(output.held_logits is None for output in outputs)


@pytest.fixture(params=["float32", "bfloat16"])
def typed(each: Tiny, request: pytest.FixtureRequest) -> Model:
    """Model of every family in each number format, with a prefix cache of its own."""
    return each.fresh() if request.param == "float32" else load(each.folder, from_hub=False, dtype="bfloat16")


def test_logits_computed_again_are_the_same_to_the_last_bit(typed: Model) -> None:
    """Of passes over many tokens, over one, over the rest of a text, and of a batch."""
    outputs = [*typed.records(IDS), typed.records((*IDS, 99))[-1], *typed.records((*IDS[:4], *range(40, 45)))[4:]]
    batch = TextBatch(typed.prefix_cache, [IDS, (*IDS[:-1], 7), (*IDS[:-1], 8)])
    outputs += batch.outputs
    batch.append([0, 2, 2, 1], [50, 51, 52, 53])
    outputs += batch.outputs
    wanted = [output.logits.tobytes() for output in outputs]
    numbers = [(output.log_z, output.top, output.rank(5), output.log_probability(5)) for output in outputs]
    for _ in range(2):
        empty_of_logits(typed, outputs)
        assert [output.logits.tobytes() for output in outputs] == wanted
        assert [(o.log_z, o.top, o.rank(5), o.log_probability(5)) for o in outputs] == numbers
        outputs.reverse()
        wanted.reverse()
        numbers.reverse()


def test_a_row_needs_none_of_the_others(each: Tiny) -> None:
    """The other tokens of its pass may be gone: only their number matters."""
    model = each.fresh()
    outputs = model.records(IDS)
    wanted = outputs[7].logits.tobytes()
    empty_of_logits(model, outputs)
    alone = outputs[7]
    del outputs
    model.prefix_cache._roots[False].children.clear()
    model.prefix_cache._lru.clear()
    model.prefix_cache.logits._members.clear()
    assert alone.logits.tobytes() == wanted


def test_pages_show_the_same_with_and_without_memory(each: Tiny) -> None:
    roomy, tight = each.fresh(), each.fresh()
    settings = engine.Settings(temperature=0.7, top_p=0.8)
    for model in (roomy, tight):
        model.records(IDS)
    empty_of_logits(tight, tight.records(IDS))
    assert tight.score(IDS) == roomy.score(IDS)
    empty_of_logits(tight, tight.records(IDS))
    for end in range(1, len(IDS) + 1):
        ours, theirs = tight.distribution(IDS[:end], settings), roomy.distribution(IDS[:end], settings)
        assert (ours.probabilities == theirs.probabilities).all() and ours.top(9) == theirs.top(9)
    empty_of_logits(tight, tight.records(IDS))
    lens, other = logit_lens(tight, IDS), logit_lens(roomy, IDS)
    assert (lens.probability[-1] == other.probability[-1]).all()


def test_numbers_of_a_token_that_were_read_need_no_logits(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    score = model.score(IDS)
    outputs = model.records(IDS)
    empty_of_logits(model, outputs)
    assert model.score(IDS) == score
    assert all(output.held_logits is None for output in outputs)


def test_a_cache_holds_as_many_tokens_as_fit_without_their_logits(each: Tiny) -> None:
    """Logits keep a quarter; the rest is tokens, as many as it has room for."""
    text = each.model.records(range(10, 50))
    record, logits = sum(output.record_nbytes for output in text), text[0].logits.nbytes
    assert all(output.source is not None for output in text), "every family here computes its logits again"
    room = record * 4 // 3 + logits
    tree = PrefixCache(each.model.prefix_cache.forward, room)
    tree.records(range(10, 50))
    assert len(tree) == 40 and tree.counters.evicted == 0
    assert tree.logits.nbytes >= room // 4 - logits
    assert tree.nbytes <= room
    tree.records(range(100, 102))  # the next tokens evict the end of the first text
    assert 38 <= len(tree) <= 42 and tree.nbytes <= room


def test_logits_read_last_stay(gpt2: Tiny) -> None:
    record = sum(output.record_nbytes for output in gpt2.model.records(IDS))
    tree = PrefixCache(gpt2.model.prefix_cache.forward, record + 4 * gpt2.model.records(IDS)[0].logits.nbytes)
    outputs = tree.records(IDS)
    _ = outputs[3].logits
    held = [i for i, output in enumerate(outputs) if output.held_logits is not None]
    assert 3 in held and 0 < len(held) < len(IDS)
    tree.records((*IDS[:5], 77))
    assert outputs[3].held_logits is not None


@settings(max_examples=40)
@given(data=st.data())
def test_books_hold_after_every_request_and_read(gpt2: Tiny, data: st.DataObject) -> None:
    record = gpt2.model.records([5])[0].record_nbytes
    max_bytes = data.draw(st.integers(0, 60)) * record
    tree = PrefixCache(gpt2.model.prefix_cache.forward, max_bytes)
    kept: list[tuple[TokenOutput, bytes]] = []
    for _ in range(data.draw(st.integers(1, 8))):
        ids = data.draw(st.lists(st.integers(10, 12), min_size=1, max_size=6))
        new = tree.records(ids)
        kept += [(output, output.logits.tobytes()) for output in new]
        check(tree, max_bytes)
        output, logits = data.draw(st.sampled_from(kept))
        assert output.logits.tobytes() == logits
        check(tree, max_bytes)


def test_threads_that_read_dropped_logits_get_the_same(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    outputs = model.records(IDS)
    wanted = [output.logits.tobytes() for output in outputs]
    wrong: list[int] = []

    def read(shift: int) -> None:
        for i in range(3 * len(outputs)):
            at = (i * 7 + shift) % len(outputs)
            if outputs[at].logits.tobytes() != wanted[at]:
                wrong.append(at)
            if i % 5 == 0:
                with model.prefix_cache._lock:
                    model.prefix_cache.logits.drop(2**60)

    model.prefix_cache.logits._keep = 2 * outputs[0].logits.nbytes
    threads = [threading.Thread(target=read, args=(shift,)) for shift in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and not any(thread.is_alive() for thread in threads)
    check(model.prefix_cache, 2**30)


def test_a_model_whose_head_is_not_found_keeps_its_logits(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or one that gives other numbers the second time: nothing is exact then but what the pass gave."""
    forward = gpt2.model.prefix_cache.forward
    monkeypatch.setattr(logits_memory, "_unembeddings", {forward: None})
    model = gpt2.fresh(max_bytes=3 * gpt2.model.records([5])[0].nbytes)
    outputs = model.records(IDS)
    assert all(output.source is None and output.held_logits is not None for output in outputs)
    assert len(model.prefix_cache) <= 4 and not dropped(model.prefix_cache)
    check(model.prefix_cache, model.prefix_cache._max_bytes)


def test_a_head_that_rounds_otherwise_is_not_used(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = gpt2.model.prefix_cache.forward
    exact = logits_memory.Unembedding.logits
    assert logits_memory._tried_unembedding(forward) is not None
    monkeypatch.setattr(
        logits_memory.Unembedding,
        "logits",
        lambda self, states, batch=False: torch.nextafter(exact(self, states, batch), torch.tensor(np.inf)),
    )
    assert logits_memory._tried_unembedding(forward) is None
