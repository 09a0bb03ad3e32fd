"""The tree holds no more bytes than it may, drops what was not used for longest, and its books are right."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.model.prefix_cache import PrefixCache, _Node
from tests.engine.conftest import Tiny


def nodes(tree: PrefixCache) -> list[_Node]:
    """All nodes that can be reached from the root, parents first."""
    found, waiting = [], [tree._root]
    while waiting:
        node = waiting.pop()
        for child in node.children.values():
            assert child.parent is node
            found.append(child)
            waiting.append(child)
    return found


def check(tree: PrefixCache, most: int) -> None:
    """All that must hold while nobody computes anything."""
    reached = nodes(tree)
    assert set(reached) == set(tree._used) and len(reached) == len(tree)
    assert tree.nbytes == sum(node.record.nbytes for node in reached if node.record is not None)
    assert tree.nbytes <= most
    age = {node: i for i, node in enumerate(tree._used)}  # the oldest has 0
    for node in reached:
        assert node.parent is not None
        assert node.parent is tree._root or age[node] < age[node.parent], "a child is younger than its parent"
        assert not node.pending
    assert not tree._root.pending
    assert len(tree._buffers) <= 8


@settings(max_examples=40)
@given(data=st.data())
def test_bound_books_and_order_of_age_hold_after_every_request(gpt2: Tiny, data: st.DataObject) -> None:
    record = gpt2.model.records([5])[0]
    most = data.draw(st.integers(0, 30)) * record.nbytes
    tree = PrefixCache(gpt2.model.prefix_cache.forward, most)
    seen: list[list[int]] = [[10]]
    for _ in range(data.draw(st.integers(1, 12))):
        known = data.draw(st.sampled_from(seen))
        begin = known[: data.draw(st.integers(0, len(known)))]  # back to an earlier step, or a branch from one
        ids = begin + data.draw(st.lists(st.integers(10, 12), min_size=0 if begin else 1, max_size=5))
        seen.append(ids)
        passes = tree.counters.passes
        records = tree.records(ids)
        assert len(records) == len(ids)
        assert [r.attentions.shape[-1] for r in records if r.attentions is not None] == list(range(1, len(ids) + 1))
        assert tree.counters.passes - passes in (0, 1)
        check(tree, most)


def test_a_record_holds_on_to_nothing_but_itself(each: Tiny) -> None:
    """Its arrays are views of one piece of memory, and nothing else lies in that."""
    model = each.fresh()
    ids = tuple(range(10, 30))
    model.records(ids[:10])
    for end in range(11, 20):
        model.records(ids[:end])
    for record in model.records(ids):
        whole = record.logits.base
        assert isinstance(whole, Tensor)
        arrays = [t for t in (whole, record.hidden_states, record.attentions, record.key_values) if t is not None]
        assert all(array.untyped_storage().nbytes() == record.nbytes for array in arrays)
        assert len({array.untyped_storage().data_ptr() for array in arrays}) == 1


def test_a_text_larger_than_the_bound_is_still_answered(each: Tiny) -> None:
    for most in (0, 1, 10_000):
        model = each.fresh(max_bytes=most)
        assert len(model.records(range(10, 40))) == 30
        check(model.prefix_cache, most)


def test_the_least_recently_used_goes_first(gpt2: Tiny) -> None:
    one = gpt2.model.records([5])[0].nbytes
    tree = PrefixCache(gpt2.model.prefix_cache.forward, 4 * one)
    for token in (1, 2, 3):
        tree.records([token])
    tree.records([1])  # used again
    tree.records([4])
    tree.records([5])  # one too many: 2 is the one not used for longest
    passes = tree.counters.passes
    for token in (1, 3, 4, 5):
        tree.records([token])
    assert tree.counters.passes == passes
    tree.records([2])
    assert tree.counters.passes == passes + 1


def test_a_text_is_dropped_from_its_end(gpt2: Tiny) -> None:
    lengths = [r.nbytes for r in gpt2.model.records(range(10, 20))]
    tree = PrefixCache(gpt2.model.prefix_cache.forward, sum(lengths))
    tree.records(range(10, 20))
    tree.records([1])
    node, left = tree._root, []
    while node.children:
        node = next(child for token, child in node.children.items() if token >= 10)
        left.append(node.token_id)
    assert left == list(range(10, 10 + len(left))) and 5 < len(left) < 10
