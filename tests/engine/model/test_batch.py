"""Texts that go on together are computed as each would be alone, and end up in the tree."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.model.batch import TextBatch
from tests.engine.conftest import Tiny


def check(rows: TextBatch, one: Tiny) -> None:
    """Every record against the reference's own forward of the whole text."""
    for text, record in zip(rows.texts, rows.records, strict=True):
        out = one.forward(text, output_hidden_states=True, output_attentions=one.family != "mamba")
        np.testing.assert_allclose(record.logits, out.logits[0, -1].numpy(), atol=1e-4, rtol=1e-4)
        if record.hidden_states is not None:
            expected = torch.stack([h[0, -1] for h in out.hidden_states])
            torch.testing.assert_close(record.hidden_states, expected, atol=1e-4, rtol=1e-4)
        if record.attentions is not None:
            expected = torch.stack([a[0, :, -1] for a in out.attentions])
            torch.testing.assert_close(record.attentions, expected, atol=1e-5, rtol=1e-4)


def test_rows_fork_reorder_and_vanish(each: Tiny) -> None:
    model = each.fresh()
    dice = np.random.default_rng(3)
    rows = TextBatch(model.prefix_cache, [each.prefixes(1, longest=9)[0]])
    for parents in ([0, 0, 0], [2, 0, 1], [1, 1, 2, 0, 2], [4], [0, 0], [0, 1], [1, 0], [0, 1]):
        rows.append(parents, dice.integers(0, model.vocabulary.size, len(parents)).tolist())
        check(rows, each)


def test_what_was_computed_together_is_in_the_tree(each: Tiny) -> None:
    model = each.fresh()
    rows = TextBatch(model.prefix_cache, each.prefixes(1, longest=9))
    rows.append([0, 0], [5, 6])
    rows.append([1, 0, 1], [7, 8, 9])
    before = model.prefix_cache.counters.passes
    for text in rows.texts:
        model.records(text)
    assert model.prefix_cache.counters.passes == before
    # The tree goes on from there alone, with the keys and values that were computed together.
    longer = (*rows.texts[0], 3, 4)
    expected = each.forward(longer).logits[0, -1].numpy()
    np.testing.assert_allclose(model.records(longer)[-1].logits, expected, atol=1e-4, rtol=1e-4)


def test_released_rows_are_built_again(gpt2: Tiny) -> None:
    rows = TextBatch(gpt2.fresh().prefix_cache, gpt2.prefixes(1, longest=9))
    rows.append([0, 0], [5, 6])
    rows.release()
    rows.append([1, 0], [7, 8])
    check(rows, gpt2)


def test_a_pass_that_fails_leaves_the_rows_as_they_were(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    rows = TextBatch(model.prefix_cache, gpt2.prefixes(1, longest=9))
    rows.append([0, 0], [5, 6])
    texts = list(rows.texts)

    def fail(*_: object) -> None:
        raise MemoryError

    block = model.prefix_cache.forward.model.get_submodule("transformer.h.1")
    handle = block.register_forward_pre_hook(fail)
    with pytest.raises(MemoryError):
        rows.append([1, 0], [7, 8])
    handle.remove()
    assert rows.texts == texts
    rows.append([1, 0], [7, 8])
    check(rows, gpt2)


def test_a_tree_that_is_full_does_not_stop_rows(gpt2: Tiny) -> None:
    rows = TextBatch(gpt2.fresh(max_bytes=1).prefix_cache, gpt2.prefixes(1, longest=9))
    for step in range(4):
        rows.append([0, 0] if step == 0 else [1, 0], [step, step + 1])
        check(rows, gpt2)


def test_rows_refuse_what_they_cannot_be(gpt2: Tiny) -> None:
    tree = gpt2.fresh().prefix_cache
    with pytest.raises(ValueError, match="one length"):
        TextBatch(tree, [(1, 2), (1,)])
    with pytest.raises(ValueError, match="one length"):
        TextBatch(tree, [])
    rows = TextBatch(tree, [(1, 2)])
    with pytest.raises(ValueError, match="parent"):
        rows.append([], [])
    with pytest.raises(ValueError, match="parent"):
        rows.append([0], [1, 2])
