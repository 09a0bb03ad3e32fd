"""TextBatch: outputs equal those of each text computed alone, and are added to the prefix cache."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.model.batch import TextBatch
from tests.engine.conftest import Tiny


def check(batch: TextBatch, tiny: Tiny) -> None:
    """Every output against the reference's forward pass over the whole text."""
    for text, output in zip(batch.texts, batch.outputs, strict=True):
        expected_output = tiny.forward(text, output_hidden_states=True, output_attentions=tiny.family != "mamba")
        np.testing.assert_allclose(output.logits, expected_output.logits[0, -1].numpy(), atol=1e-4, rtol=1e-4)
        if output.hidden_states is not None:
            expected = torch.stack([h[0, -1] for h in expected_output.hidden_states])
            torch.testing.assert_close(output.hidden_states, expected, atol=1e-4, rtol=1e-4)
        if output.attentions is not None:
            expected = torch.stack([a[0, :, -1] for a in expected_output.attentions])
            torch.testing.assert_close(output.attentions, expected, atol=1e-5, rtol=1e-4)


def test_rows_fork_reorder_and_vanish(each: Tiny) -> None:
    model = each.fresh()
    rng = np.random.default_rng(3)
    batch = TextBatch(model.prefix_cache, [each.prefixes(1, longest=9)[0]])
    for parents in ([0, 0, 0], [2, 0, 1], [1, 1, 2, 0, 2], [4], [0, 0], [0, 1], [1, 0], [0, 1]):
        batch.append(parents, rng.integers(0, model.vocabulary.size, len(parents)).tolist())
        check(batch, each)


def test_what_was_computed_together_is_in_the_tree(each: Tiny) -> None:
    model = each.fresh()
    batch = TextBatch(model.prefix_cache, each.prefixes(1, longest=9))
    batch.append([0, 0], [5, 6])
    batch.append([1, 0, 1], [7, 8, 9])
    before = model.prefix_cache.counters.passes
    for text in batch.texts:
        model.records(text)
    assert model.prefix_cache.counters.passes == before
    # A longer text continues from the keys and values that were computed in the batch.
    longer = (*batch.texts[0], 3, 4)
    expected = each.forward(longer).logits[0, -1].numpy()
    np.testing.assert_allclose(model.records(longer)[-1].logits, expected, atol=1e-4, rtol=1e-4)


def test_released_rows_are_built_again(gpt2: Tiny) -> None:
    batch = TextBatch(gpt2.fresh().prefix_cache, gpt2.prefixes(1, longest=9))
    batch.append([0, 0], [5, 6])
    batch.release()
    batch.append([1, 0], [7, 8])
    check(batch, gpt2)


def test_a_pass_that_fails_leaves_the_rows_as_they_were(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    batch = TextBatch(model.prefix_cache, gpt2.prefixes(1, longest=9))
    batch.append([0, 0], [5, 6])
    texts = list(batch.texts)

    def fail(*_: object) -> None:
        raise MemoryError

    block = model.prefix_cache.forward.model.get_submodule("transformer.h.1")
    handle = block.register_forward_pre_hook(fail)
    with pytest.raises(MemoryError):
        batch.append([1, 0], [7, 8])
    handle.remove()
    assert batch.texts == texts
    batch.append([1, 0], [7, 8])
    check(batch, gpt2)


def test_a_tree_that_is_full_does_not_stop_rows(gpt2: Tiny) -> None:
    batch = TextBatch(gpt2.fresh(max_bytes=1).prefix_cache, gpt2.prefixes(1, longest=9))
    for step in range(4):
        batch.append([0, 0] if step == 0 else [1, 0], [step, step + 1])
        check(batch, gpt2)


def test_rows_refuse_what_they_cannot_be(gpt2: Tiny) -> None:
    cache = gpt2.fresh().prefix_cache
    with pytest.raises(ValueError, match="one length"):
        TextBatch(cache, [(1, 2), (1,)])
    with pytest.raises(ValueError, match="one length"):
        TextBatch(cache, [])
    batch = TextBatch(cache, [(1, 2)])
    with pytest.raises(ValueError, match="parent"):
        batch.append([], [])
    with pytest.raises(ValueError, match="parent"):
        batch.append([0], [1, 2])
