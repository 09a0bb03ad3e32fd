"""Prefix cache: byte bound, least-recently-used eviction and consistent bookkeeping."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.model.prefix_cache import PrefixCache, _Node
from tests.engine.conftest import Tiny


def nodes(tree: PrefixCache) -> list[_Node]:
    """All nodes that can be reached from the root, parents first."""
    reached, stack = [], list(tree._roots.values())
    while stack:
        node = stack.pop()
        for child in node.children.values():
            assert child.parent is node
            reached.append(child)
            stack.append(child)
    return reached


def check(tree: PrefixCache, max_bytes: int) -> None:
    """Invariants of a prefix cache while no thread computes."""
    reached = nodes(tree)
    assert set(reached) == set(tree._lru) and len(reached) == len(tree)
    assert tree.nbytes == sum(node.output.nbytes for node in reached if node.output is not None)
    assert tree.nbytes <= max_bytes
    age = {node: i for i, node in enumerate(tree._lru)}  # the oldest has 0
    for node in reached:
        assert node.parent is not None
        assert node.parent in tree._roots.values() or age[node] < age[node.parent], "a child is younger than its parent"
        assert not node.pending
    assert not any(root.pending for root in tree._roots.values())
    assert len(tree._kv_caches) <= 8


@settings(max_examples=40)
@given(data=st.data())
def test_bound_books_and_order_of_age_hold_after_every_request(gpt2: Tiny, data: st.DataObject) -> None:
    nbytes = gpt2.model.records([5])[0].nbytes
    max_bytes = data.draw(st.integers(0, 30)) * nbytes
    tree = PrefixCache(gpt2.model.prefix_cache.forward, max_bytes)
    seen: list[list[int]] = [[10]]
    for _ in range(data.draw(st.integers(1, 12))):
        known = data.draw(st.sampled_from(seen))
        prefix = known[: data.draw(st.integers(0, len(known)))]  # an earlier step, or a branch from one
        ids = prefix + data.draw(st.lists(st.integers(10, 12), min_size=0 if prefix else 1, max_size=5))
        seen.append(ids)
        passes = tree.counters.passes
        outputs = tree.records(ids)
        assert len(outputs) == len(ids)
        assert [o.attentions.shape[-1] for o in outputs if o.attentions is not None] == list(range(1, len(ids) + 1))
        assert tree.counters.passes - passes in (0, 1)
        check(tree, max_bytes)


def test_a_record_holds_on_to_nothing_but_itself(each: Tiny) -> None:
    """The logits are one allocation, all other tensors views of another; neither contains anything else."""
    model = each.fresh()
    ids = tuple(range(10, 30))
    model.records(ids[:10])
    for end in range(11, 20):
        model.records(ids[:end])
    for output in model.records(ids):
        whole = output.logits.base
        assert isinstance(whole, Tensor) and whole.untyped_storage().nbytes() == output.logits.nbytes
        arrays = [t for t in (output.hidden_states, output.attentions, output.key_values) if t is not None]
        assert all(array.untyped_storage().nbytes() == output.record_nbytes for array in arrays)
        assert len({array.untyped_storage().data_ptr() for array in arrays}) == 1


def test_a_text_larger_than_the_bound_is_still_answered(each: Tiny) -> None:
    for max_bytes in (0, 1, 10_000):
        model = each.fresh(max_bytes=max_bytes)
        assert len(model.records(range(10, 40))) == 30
        check(model.prefix_cache, max_bytes)


def test_the_least_recently_used_goes_first(gpt2: Tiny) -> None:
    output = gpt2.model.records([5])[0]
    room = 4 * output.record_nbytes + output.logits.nbytes  # of four tokens, one holds its logits
    tree = PrefixCache(gpt2.model.prefix_cache.forward, room)
    for token in (1, 2, 3):
        tree.records([token])
    tree.records([1])  # used again
    tree.records([4])
    tree.records([5])  # exceeds the bound: 2 is the least recently used
    passes = tree.counters.passes
    for token in (1, 3, 4, 5):
        tree.records([token])
    assert tree.counters.passes == passes
    tree.records([2])
    assert tree.counters.passes == passes + 1


def test_a_text_is_dropped_from_its_end(gpt2: Tiny) -> None:
    sizes = [output.record_nbytes for output in gpt2.model.records(range(10, 20))]
    tree = PrefixCache(gpt2.model.prefix_cache.forward, sum(sizes))
    tree.records(range(10, 20))
    tree.records([1])
    node, left = tree._roots[False], []
    while node.children:
        node = next(child for token, child in node.children.items() if token >= 10)
        left.append(node.token_id)
    assert left == list(range(10, 10 + len(left))) and 5 < len(left) < 10
