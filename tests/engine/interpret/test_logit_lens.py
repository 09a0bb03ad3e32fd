"""Logit lens: equals the reference's norm and head on `output_hidden_states`; the last layer equals the model."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

import engine
from engine.bundled import BUNDLED
from engine.interpret import logit_lens as logit_lens_module
from engine.interpret.logit_lens import logit_lens
from engine.model import unembedding as unembedding_module
from engine.model.forward import Forward
from engine.model.model import Model
from engine.model.prefix_cache import PrefixCache
from engine.model.unembedding import Unembedding
from tests.engine.conftest import Tiny
from tests.engine.model.test_prefix_cache_threads import together

NORMS = {"gpt2": "transformer.ln_f", "mamba": "backbone.norm_f"}  # the others: model.norm


class Case(NamedTuple):
    family: str
    model: Model
    reference: PreTrainedModel


@torch.inference_mode()
def expected(case: Case | Tiny, ids: Sequence[int]) -> Tensor:
    """Expected logits, (L + 1, T, V), with the norm and head of each family spelled out."""
    out = case.reference(input_ids=torch.tensor([ids]), use_cache=False, output_hidden_states=True)
    norm = case.reference.get_submodule(NORMS.get(case.family, "model.norm"))
    states = torch.cat([*(norm(h) for h in out.hidden_states[:-1]), out.hidden_states[-1]])  # (L + 1, T, d)
    logits = case.reference.get_output_embeddings()(states)
    return 8.0 * torch.tanh(logits / 8.0) if case.family == "gemma2" else logits


@pytest.fixture(scope="module")
def bundled() -> Case:
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="eager").eval()
    return Case("llama", engine.load(), reference)


def check(case: Case | Tiny, model: Model, ids: Sequence[int]) -> None:
    want = expected(case, ids)
    got = logit_lens(model, ids)
    assert got.layers == len(want) - 1
    assert got.top_token_ids.dtype == np.int64 and got.probability.dtype == np.float32
    assert got.top_token_ids.shape == got.probability.shape == want.shape[:2]
    raw = torch.softmax(want, dim=-1)
    for layer in range(len(want)):
        for t in range(len(ids)):
            logits = got.logits(layer, t)
            np.testing.assert_allclose(logits, want[layer, t], atol=2e-4, rtol=1e-4)
            assert got.top_token_ids[layer, t] == logits.argmax()
            np.testing.assert_allclose(got.probability[layer, t], raw[layer, t].max(), atol=1e-5)


def test_every_layer_equals_the_reference(each: Tiny) -> None:
    for ids in each.prefixes(4, longest=16):
        check(each, each.fresh(), ids)


def test_every_layer_of_the_bundled_model_equals_the_reference(bundled: Case) -> None:
    check(bundled, bundled.model, bundled.model.encode("今天天氣真好, and the sky is blue."))


def test_the_last_layer_is_what_the_model_says(each: Tiny) -> None:
    ids = each.prefixes(1)[0]
    lens = logit_lens(each.model, ids)
    for t, output in enumerate(each.model.records(ids)):
        assert (lens.logits(lens.layers, t) == output.logits).all()
        assert [token for token, _ in lens.top(lens.layers, t, 10)] == output.top
        token = int(output.logits.argsort()[7])
        assert lens.ranks(t, token)[-1] == output.rank(token)
        assert lens.probabilities(t, token)[-1] == pytest.approx(np.exp(output.log_probability(token)), rel=1e-5)


def test_it_costs_no_pass_where_the_text_is_known(each: Tiny) -> None:
    model = each.fresh()
    ids = each.prefixes(1)[0]
    model.records(ids)
    logit_lens(model, ids).top(0, 0, 3)
    assert model.prefix_cache.counters.passes == 1


def test_a_longer_text_looks_at_its_new_tokens_alone(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model = gpt2.fresh()
    computed: list[int] = []
    logits = Unembedding.logits

    def counted(unembedding: Unembedding, states: Tensor) -> Tensor:
        computed.append(len(states))
        return logits(unembedding, states)

    monkeypatch.setattr(Unembedding, "logits", counted)
    whole = logit_lens(model, range(10, 30))
    computed.clear()
    longer = logit_lens(model, range(10, 32))
    assert sum(computed) == 1 + 2 * 3  # verification of the last state, and three layers of two tokens
    assert (longer.top_token_ids[:, :20] == whole.top_token_ids).all()


def test_chunks_change_nothing(each: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = each.prefixes(1)[0]
    whole = logit_lens(each.fresh(), ids)
    monkeypatch.setattr(logit_lens_module, "_CHUNK", 1)
    pieces = logit_lens(each.fresh(), ids)
    assert (pieces.top_token_ids == whole.top_token_ids).all()
    np.testing.assert_allclose(pieces.probability, whole.probability, atol=1e-6)


@given(st.data())
def test_ranks_and_probabilities_are_those_of_the_logits(gpt2: Tiny, data: st.DataObject) -> None:
    size = gpt2.model.vocabulary.size
    ids = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=12))
    lens = logit_lens(gpt2.model, ids)
    position, token = data.draw(st.integers(0, len(ids) - 1)), data.draw(st.integers(0, size - 1))
    for layer in range(lens.layers + 1):
        logits = lens.logits(layer, position).astype(np.float64)
        order = sorted(range(size), key=lambda i: (-logits[i], i))
        assert lens.ranks(position, token)[layer] == order.index(token) + 1
        probabilities = np.exp(logits - logits.max())
        probabilities /= probabilities.sum()
        assert lens.probabilities(position, token)[layer] == pytest.approx(probabilities[token], rel=1e-4)
        top = lens.top(layer, position, 5)
        assert [i for i, _ in top] == order[:5]
        np.testing.assert_allclose([p for _, p in top], probabilities[order[:5]], rtol=1e-4)


def test_equal_logits_stand_in_the_order_of_their_ids(gpt2: Tiny) -> None:
    hf = copy.deepcopy(gpt2.reference)
    hf.get_output_embeddings().weight.data.zero_()
    lens = logit_lens(remade(gpt2, hf), (5, 6))
    assert (lens.top_token_ids == 0).all()
    assert lens.ranks(1, 7) == [8] * 4
    assert [i for i, _ in lens.top(0, 0, 3)] == [0, 1, 2]


def remade(tiny: Tiny, hf: PreTrainedModel) -> Model:
    cache = PrefixCache(Forward(hf), 2**30)
    return Model(tiny.family, tiny.model.vocabulary, cache, tiny.model.context_length, tiny.model.end_ids)


@pytest.mark.parametrize(("layer", "position"), [(-1, 0), (4, 0), (0, -1), (0, 2)])
def test_a_place_that_is_not_there(gpt2: Tiny, layer: int, position: int) -> None:
    lens = logit_lens(gpt2.model, (5, 6))
    with pytest.raises(IndexError):
        lens.logits(layer, position)
    with pytest.raises(IndexError):
        lens.top(layer, position, 1)
    for function in (lens.ranks, lens.probabilities):
        with pytest.raises(IndexError):
            function(0, gpt2.model.vocabulary.size)
        with pytest.raises(IndexError):
            function(2, 0)


@pytest.mark.parametrize(("ids", "code"), [((), "empty"), (range(65), "context"), ((-1,), "token")])
def test_ids_that_are_no_text(gpt2: Tiny, ids: Sequence[int], code: str) -> None:
    with pytest.raises(engine.PromptError) as caught:
        logit_lens(gpt2.model, ids)
    assert caught.value.code == code


def test_a_family_whose_end_cannot_be_told_is_refused(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unembedding_module, "_candidates", lambda *_: iter(()))
    with pytest.raises(engine.EngineError) as caught:
        logit_lens(remade(gpt2, gpt2.reference), (5, 6))
    assert caught.value.code == "lens"


def test_a_wrong_norm_is_not_taken(gpt2: Tiny) -> None:
    hf = copy.deepcopy(gpt2.reference)
    # A sibling of the blocks that the model never uses.
    hf.get_submodule("transformer").add_module("unused", torch.nn.LayerNorm(32))
    unembedding = Unembedding(Forward(hf))
    assert unembedding._norm is hf.get_submodule("transformer.ln_f")


def test_states_that_do_not_lead_to_the_logits_are_refused(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model = gpt2.fresh()
    for output in model.records((5, 6)):
        output.logits[:] += np.arange(len(output.logits))
    with pytest.raises(engine.EngineError) as caught:
        logit_lens(model, (5, 6))
    assert caught.value.code == "lens"


def test_a_prediction_that_is_not_a_number_is_refused(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    hidden = model.records((5, 6))[0].hidden_states
    assert hidden is not None
    with torch.inference_mode():
        hidden[1] = torch.nan
    with pytest.raises(engine.EngineError) as caught:
        logit_lens(model, (5, 6))
    assert caught.value.code == "not_finite"


def test_the_shared_model_stays_as_it_was(each: Tiny) -> None:
    hf = each.model.prefix_cache.forward.model
    before = {name: (id(part), len(part._forward_hooks)) for name, part in hf.named_modules()}
    logit_lens(each.fresh(), (5, 6, 7)).top(0, 0, 3)
    assert {name: (id(part), len(part._forward_hooks)) for name, part in hf.named_modules()} == before


def test_a_class_looks_through_it_at_once(build: Callable[[str], Tiny]) -> None:
    case = build("gemma2")
    ids = case.prefixes(1)[0]
    want = logit_lens(case.fresh(), ids)
    model = case.fresh()
    for got in together(lambda _: logit_lens(model, ids)):
        assert (got.top_token_ids == want.top_token_ids).all() and (got.probability == want.probability).all()


def test_a_model_that_is_gone_is_forgotten(gpt2: Tiny) -> None:
    model = remade(gpt2, copy.deepcopy(gpt2.reference))
    logit_lens(model, (5, 6))
    alive = weakref.ref(model.prefix_cache.forward)
    del model
    gc.collect()
    assert alive() is None
