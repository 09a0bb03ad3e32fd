"""Activations: equal to hidden states, attention and module outputs of `transformers`; None where that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from engine.interpret.activations import activations
from engine.model.model import Model
from tests.engine.conftest import Tiny
from tests.engine.model.test_prefix_cache_threads import together

TEXTS = ((5,), (5, 6, 7), tuple(range(5, 17)), (9, 9, 4, 8, 9))


def close(a: Any, b: Any, atol: float = 2e-4, rtol: float = 1e-4) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=atol, rtol=rtol)


@torch.inference_mode()
def outputs_of(reference: PreTrainedModel, ids: Sequence[int], names: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """Input and output of modules of the reference at the last token, by name."""
    seen: dict[str, tuple[Any, Any]] = {}

    def hook(name: str) -> Any:
        def keep(_: Any, given: Any, out: Any) -> None:
            tensor = out if isinstance(out, torch.Tensor) else out[0]
            seen[name] = (given[0][0, -1] if given else None), tensor[0, -1]

        return keep

    handles = [reference.get_submodule(name).register_forward_hook(hook(name)) for name in names]
    reference(input_ids=torch.tensor([ids]), use_cache=False)
    for handle in handles:
        handle.remove()
    return seen


def test_states_and_attention_equal_those_of_the_reference(each: Tiny) -> None:
    for ids in TEXTS:
        out = each.forward(ids, output_hidden_states=True, output_attentions=each.family != "mamba")
        found = activations(each.fresh(), ids)
        states = [state[0, -1] for state in out.hidden_states]
        if each.family == "mamba":  # its hidden states begin after the first layer
            close(found.layers[0].output, states[0])
        else:
            close(found.first, states[0])
            for layer, state in zip(found.layers[:-1], states[1:-1], strict=True):
                close(layer.output, state)
        close(found.final, states[-1])
        for at, layer in enumerate(found.layers):
            if each.family == "mamba":
                assert layer.weights is None and layer.scores is None
            else:
                close(layer.weights, out.attentions[at][0, :, -1])


def test_what_the_parts_add_is_the_way_from_one_state_to_the_next(each: Tiny) -> None:
    for ids in TEXTS:
        found = activations(each.fresh(), ids)
        before = found.first
        for layer in found.layers:
            assert layer.mixed is not None
            mlp = np.zeros_like(before) if layer.mlp is None else layer.mlp
            assert (layer.mlp is None) is (each.family == "mamba")
            close(before + layer.mixed + mlp, layer.output)
            before = layer.output


def test_scores_are_the_logarithms_of_the_attention_up_to_a_constant(attentive: Tiny) -> None:
    """Except where a family caps its scores: then there are none."""
    for ids in TEXTS[1:]:
        for layer in activations(attentive.fresh(), ids).layers:
            assert layer.weights is not None
            assert (layer.scores is None) is (attentive.family == "gemma2")
            if layer.scores is not None:
                for scores, weights in zip(layer.scores, layer.weights, strict=True):
                    seen = weights > 1e-9  # a sliding window hides the others
                    constant = np.log(weights[seen]) - scores[seen]
                    np.testing.assert_allclose(constant, constant[0], atol=1e-3)


def test_parts_of_gpt2_by_hand(gpt2: Tiny) -> None:
    ids = TEXTS[2]
    names = [f"transformer.h.{i}.{part}" for i in range(3) for part in ("ln_1", "attn", "mlp", "mlp.c_proj")]
    seen = outputs_of(gpt2.reference, ids, names)
    found = activations(gpt2.fresh(), ids)
    decoder: Any = gpt2.reference.transformer
    close(found.token, decoder.wte.weight[ids[-1]].detach())
    close(found.position, decoder.wpe.weight[len(ids) - 1].detach())
    assert found.beginning == "sum" and not found.rotary
    states = gpt2.forward(ids, output_hidden_states=True).hidden_states
    for at, layer in enumerate(found.layers):
        close(layer.mixed, seen[f"transformer.h.{at}.attn"][1])
        close(layer.mlp, seen[f"transformer.h.{at}.mlp"][1])
        close(layer.neurons, seen[f"transformer.h.{at}.mlp.c_proj"][0])
        with torch.inference_mode():
            query, key, _ = decoder.h[at].attn.c_attn(decoder.h[at].ln_1(states[at][0])).split(32, dim=-1)
        heads = key.view(-1, 4, 8), query[-1].view(4, 8)
        close(layer.scores, torch.einsum("thd,hd->ht", *heads) / 8**0.5)


def test_parts_of_the_included_model(model: Model, reference: Any) -> None:
    ids = model.encode("今天天氣真好, and")
    layers = range(reference.config.num_hidden_layers)
    names = [f"model.layers.{i}.{part}" for i in layers for part in ("self_attn", "mlp", "mlp.down_proj")]
    seen = outputs_of(reference, ids, [*names, "model.norm"])
    found = activations(model, ids)
    assert found.beginning == "token" and found.rotary and found.position is None
    close(found.token, reference.model.embed_tokens.weight[ids[-1]].detach())
    close(found.layers[-1].output, seen["model.norm"][0])
    close(found.final, seen["model.norm"][1])
    for i, layer in enumerate(found.layers):
        assert layer.scores is not None and layer.neurons is not None
        close(layer.mixed, seen[f"model.layers.{i}.self_attn"][1], 1e-2, 1e-3)
        close(layer.mlp, seen[f"model.layers.{i}.mlp"][1], 1e-2, 1e-3)
        close(layer.neurons, seen[f"model.layers.{i}.mlp.down_proj"][0], 1e-2, 1e-3)
    assert found.lengths()[-1] == pytest.approx(float(seen["model.norm"][0].norm()), rel=1e-3)


@pytest.mark.parametrize(("family", "beginning"), [("llama", "token"), ("gpt2", "sum"), ("gemma2", "scaled")])
def test_how_the_first_input_follows_from_the_embedding(family: str, beginning: str, build: Any) -> None:
    found = activations(build(family).fresh(), TEXTS[1])
    assert found.beginning == beginning
    assert (found.position is not None) is (beginning == "sum")


def test_many_at_once_and_the_model_stays_as_it_was(gpt2: Tiny) -> None:
    """Recordings of several threads do not mix, and ordinary passes of the same model report nothing."""
    model = gpt2.fresh()
    hooks = {name: len(module._forward_hooks) for name, module in model.prefix_cache.forward.model.named_modules()}
    want = [activations(gpt2.fresh(), ids).final for ids in TEXTS]
    found = together(lambda number: [activations(model, ids) for ids in (*TEXTS[number % 4 :], *TEXTS[: number % 4])])
    for number, several in enumerate(found):
        for one, final in zip(several, [*want[number % 4 :], *want[: number % 4]], strict=True):
            assert len(one.layers) == 3
            close(one.final, final)
    after = {name: len(module._forward_hooks) for name, module in model.prefix_cache.forward.model.named_modules()}
    assert after == hooks
