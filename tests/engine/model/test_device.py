"""Models on an accelerator: every tensor where it belongs, the same numbers, and back to the CPU where they differ.

The accelerator is pretended, see `pretend_device.py`: no GPU is needed, and none is tested. Gradients are not computed
there: they were not reproducible, and PyTorch's autograd knows only the devices that were there when it began.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.experiments.decoding_speed import DecodingSpeed
from engine.interpret import heads
from engine.interpret.activations import activations
from engine.interpret.induction import induction_experiment
from engine.interpret.logit_lens import logit_lens
from engine.model import device
from engine.model.loading import load
from tests import pretend_device
from tests.engine.conftest import Tiny

TEXT = "the cat sat on the mat"


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    found = pretend_device.device(monkeypatch)
    monkeypatch.setattr(device, "accelerator", lambda: found)
    return found


@pytest.mark.parametrize("each", ["gpt2", "qwen2", "gemma2"], indirect=True)
def test_everything_is_computed_there_with_the_same_numbers(each: Tiny, pretended: torch.device) -> None:
    here, there = each.fresh(), load(each.folder, place="auto")
    assert (here.device, there.device) == ("cpu", "pretend")
    ids = here.encode(TEXT)
    models = (here, there)

    def same(compute: Any, atol: float = 1e-5) -> None:
        expected, found = map(compute, models)
        np.testing.assert_allclose(found, expected, atol=atol)

    same(lambda model: model.distribution(ids).raw)
    same(lambda model: [step.raw for step in engine.generate(model, ids, "greedy", max_new_tokens=4)])
    same(lambda model: model.distribution(ids[:3]).raw)  # a KV cache that is cropped, then filled from the outputs
    same(lambda model: model.distribution((*ids[:4], 7)).raw)
    same(lambda model: [s.score for s in engine.beam_search(model, ids, 3, max_new_tokens=4).sequences])
    same(lambda model: model.score(ids).log_probabilities[1:])
    same(lambda model: logit_lens(model, ids).probability)
    same(lambda model: induction_experiment(model, 1).second, 1e-4)
    target = int(here.distribution(ids).raw.argmax())
    same(lambda model: engine.occlusion(model, ids, target).replaced_log_probabilities, 1e-4)
    same(lambda model: model.attention(ids))
    same(lambda model: activations(model, ids).lengths(), 1e-4)
    same(lambda model: activations(model, ids).layers[-1].weights)
    same(lambda model: [head.induction or 0 for layer in heads.describe(model) for head in layer], 1e-4)
    speed = DecodingSpeed(there, ids, (8,), 1)
    while speed.step():
        pass
    assert speed.times[0].cached


def test_logits_that_left_the_memory_are_computed_there_again(gpt2: Tiny, pretended: torch.device) -> None:
    model = load(gpt2.folder, place="auto")
    ids = model.encode(TEXT)
    outputs = model.records(ids)
    before = outputs[-1].logits.copy()
    assert outputs[-1].source is not None
    outputs[-1].held_logits = None
    np.testing.assert_array_equal(outputs[-1].logits, before)


def test_it_stays_on_the_cpu_where_it_cannot_be_computed_or_differs(
    gpt2: Tiny, pretended: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = pretend_device._compute

    def without_softmax(function: Any, *args: Any, **kwargs: Any) -> Any:
        if "softmax" in str(function):
            raise NotImplementedError(f"{function} is not implemented for this device")
        return compute(function, *args, **kwargs)

    def wrong(function: Any, *args: Any, **kwargs: Any) -> Any:
        result = compute(function, *args, **kwargs)
        return compute(torch.ops.aten.mul.Tensor, result, 1.5) if "softmax" in str(function) else result

    for broken in (without_softmax, wrong):
        monkeypatch.setattr(pretend_device, "_compute", broken)
        model = load(gpt2.folder, place="auto")
        assert model.device == "cpu"
        np.testing.assert_allclose(
            model.distribution(model.encode(TEXT)).raw, gpt2.model.distribution(gpt2.model.encode(TEXT)).raw, atol=1e-6
        )


def test_a_machine_without_one_uses_the_cpu(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "accelerator", lambda: None)
    assert load(gpt2.folder, place="auto").device == "cpu"
