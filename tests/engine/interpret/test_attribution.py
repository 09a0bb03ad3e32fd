"""Token attribution: occlusion equals the reference on the masked or replaced text, gradients finite differences."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoModelForCausalLM

import engine
from engine.bundled import BUNDLED
from engine.interpret import attribution as attribution_module
from engine.interpret.attribution import gradient_input, neutral_token, occlusion
from engine.interpret.probe_texts import repeated_random_tokens
from engine.interpret.rank_correlation import spearman
from engine.model import forward as forward_module
from tests.engine.conftest import Tiny
from tests.engine.interpret.test_logit_lens import remade
from tests.engine.model.test_prefix_cache_threads import together


def log_probability(logits: Tensor, token_id: int) -> float:
    return float(torch.log_softmax(logits[0, -1].double(), dim=-1)[token_id])


@pytest.fixture(params=[16, 3])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Default group size, and one so small that most groups reuse keys and values from the prefix cache."""
    monkeypatch.setattr(attribution_module, "_BLOCK", request.param)


@pytest.mark.usefixtures("block")
def test_masking_equals_the_reference_with_that_mask(attentive: Tiny) -> None:
    for ids in attentive.prefixes(4, longest=14):
        out = occlusion(attentive.model, ids, 9)
        assert out.log_probability == pytest.approx(log_probability(attentive.forward(ids).logits, 9), abs=1e-4)
        assert out.masked_log_probabilities is not None
        for i in range(len(ids)):
            mask = torch.ones((1, len(ids)), dtype=torch.long)
            mask[0, i] = 0
            positions = torch.arange(len(ids))[None]
            want = attentive.forward(ids, attention_mask=mask, position_ids=positions).logits
            assert out.masked_log_probabilities[i] == pytest.approx(log_probability(want, 9), abs=1e-4)
        np.testing.assert_allclose(out.masked, out.log_probability - out.masked_log_probabilities)


def test_what_is_masked_is_as_if_it_were_another_token(attentive: Tiny) -> None:
    ids = (5, 6, 7, 8, 9, 10)
    for i in range(len(ids) - 1):
        other = (*ids[:i], 200, *ids[i + 1 :])
        first, second = (occlusion(attentive.model, text, 9).masked_log_probabilities for text in (ids, other))
        assert first is not None and second is not None
        assert first[i] == pytest.approx(second[i], abs=1e-5)


@pytest.mark.usefixtures("block")
def test_replacing_equals_the_reference_on_that_text(each: Tiny) -> None:
    for ids in each.prefixes(4, longest=14):
        out = occlusion(each.model, ids, 9)
        for i in range(len(ids)):
            want = each.forward((*ids[:i], neutral_token(each.model), *ids[i + 1 :])).logits
            assert out.replaced_log_probabilities[i] == pytest.approx(log_probability(want, 9), abs=1e-4)
        np.testing.assert_allclose(out.replaced, out.log_probability - out.replaced_log_probabilities)
        assert out.probability == pytest.approx(np.exp(out.log_probability))


def test_the_bundled_model_equals_the_reference() -> None:
    model = engine.load()
    reference = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="eager").eval()
    ids = model.encode("今天天氣真")
    token_id = model.records(ids)[-1].top[0]
    out = occlusion(model, ids, token_id)
    assert out.probability == pytest.approx(model.distribution(ids).raw[token_id], abs=1e-5)
    assert out.masked_log_probabilities is not None
    with torch.inference_mode():
        for i in range(len(ids)):
            mask = torch.ones((1, len(ids)), dtype=torch.long)
            mask[0, i] = 0
            want = reference(input_ids=torch.tensor([ids]), attention_mask=mask).logits
            assert out.masked_log_probabilities[i] == pytest.approx(log_probability(want, token_id), abs=1e-4)
    assert np.isfinite(gradient_input(model, ids, token_id)).all()


def test_a_batch_equals_one_by_one(each: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = each.prefixes(3, longest=20)[-1]
    whole = occlusion(each.model, ids, 3)
    monkeypatch.setattr(attribution_module, "_CHUNK", 1)
    pieces = occlusion(each.model, ids, 3)
    np.testing.assert_allclose(pieces.replaced_log_probabilities, whole.replaced_log_probabilities, atol=1e-4)
    if each.family != "mamba":
        np.testing.assert_allclose(pieces.masked, whole.masked, atol=1e-4)


def test_the_last_tokens_alone_give_the_same_as_all(each: Tiny) -> None:
    ids = each.prefixes(3, longest=20)[-1]
    whole = occlusion(each.model, ids, 3)
    for last in (1, 4, len(ids), 99):
        part = occlusion(each.model, ids, 3, last=last)
        assert whole.first == 0 and part.first == max(0, len(ids) - last)
        assert part.log_probability == pytest.approx(whole.log_probability, abs=1e-5)
        np.testing.assert_allclose(part.replaced, whole.replaced[part.first :], atol=1e-4)
        if each.family != "mamba":
            np.testing.assert_allclose(part.masked, whole.masked[part.first :], atol=1e-4)
    with pytest.raises(ValueError, match="the last 0 tokens"):
        occlusion(each.model, ids, 3, last=0)


def test_a_model_without_attention_can_hide_nothing(mamba: Tiny) -> None:
    out = occlusion(mamba.model, (5, 6, 7), 9)
    assert out.masked_log_probabilities is None and np.isfinite(out.replaced).all()
    with pytest.raises(engine.EngineError) as caught:
        _ = out.masked
    assert caught.value.code == "attention"


def test_one_token_asks_and_cannot_be_hidden(attentive: Tiny) -> None:
    out = occlusion(attentive.model, (5,), 9)
    np.testing.assert_allclose(out.masked, [0], atol=1e-5)
    assert out.replaced.shape == (1,)


def test_a_neutral_token_that_stands_there_already_changes_nothing(each: Tiny) -> None:
    neutral = neutral_token(each.model)
    out = occlusion(each.model, (5, neutral, 7), 9)
    assert out.replaced[1] == pytest.approx(0, abs=1e-5)


def test_the_neutral_token_is_the_one_expected_most(each: Tiny) -> None:
    model = each.fresh()
    neutral = neutral_token(model)
    assert neutral_token(model) == neutral and len(model.prefix_cache) == 0
    ids = repeated_random_tokens(model, 1948)
    expected = torch.softmax(each.forward(ids).logits[0], dim=-1).mean(0)
    tokens = model.vocabulary.readable_ids
    assert neutral in tokens
    assert expected[neutral] == pytest.approx(float(expected[tokens].max()), rel=1e-4)


def test_gradients_equal_finite_differences(each: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    # Norms and softmax of these families are computed in float32 for any weights, too coarse for finite differences.
    monkeypatch.setattr(torch, "float32", torch.float64)
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    exact = copy.deepcopy(each.reference).double()
    model = remade(each, exact)
    ids = each.prefixes(3, longest=9, seed=4)[-1]
    got = gradient_input(model, ids, 9)
    embedded = exact.get_input_embeddings()(torch.tensor([ids])).detach()  # (1, T, d)
    step = 1e-5
    for i in range(len(ids)):
        values = []
        for factor in (1 + step, 1 - step):
            scaled = embedded.clone()
            scaled[0, i] *= factor
            with torch.no_grad():
                values.append(log_probability(exact(inputs_embeds=scaled, use_cache=False).logits, 9))
        assert got[i] == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-4, abs=1e-7)


def test_the_weights_are_left_as_they_were(each: Tiny) -> None:
    weights = dict(each.model.prefix_cache.forward.model.named_parameters())
    before = {name: (weight.requires_grad, weight.detach().clone()) for name, weight in weights.items()}
    gradient_input(each.model, (5, 6, 7), 9)
    occlusion(each.model, (5, 6, 7), 9)
    for name, weight in weights.items():
        assert weight.grad is None and weight.requires_grad == before[name][0]
        assert torch.equal(weight, before[name][1])


def test_it_works_where_nothing_may_be_derived(each: Tiny) -> None:
    want = gradient_input(each.model, (5, 6, 7), 9)
    with torch.inference_mode():
        assert (gradient_input(each.model, (5, 6, 7), 9) == want).all()
        assert not torch.is_grad_enabled()
    with torch.no_grad():
        assert (gradient_input(each.model, (5, 6, 7), 9) == want).all()


def test_a_class_asks_at_once(build: Callable[[str], Tiny]) -> None:
    for family in ("gpt2", "gemma2", "mamba"):
        model = build(family).fresh()
        ids = build(family).prefixes(1, longest=12)[0]
        want, gradient = occlusion(model, ids, 9), gradient_input(model, ids, 9)

        def work(number: int, model: engine.Model = model, ids: tuple[int, ...] = ids) -> tuple[np.ndarray, np.ndarray]:
            model.records((*ids, number))
            return gradient_input(model, ids, 9), occlusion(model, ids, 9).replaced

        for got in together(work):
            assert (got[0] == gradient).all() and (got[1] == want.replaced).all()


@pytest.mark.parametrize(
    ("ids", "token_id", "code"),
    [((), 1, "empty"), (range(65), 1, "context"), ((-1,), 1, "token"), ((1,), -1, "token"), ((1,), 10**6, "token")],
)
@pytest.mark.parametrize("attribute", [occlusion, gradient_input])
def test_what_is_no_question(gpt2: Tiny, attribute: Callable, ids: Sequence[int], token_id: int, code: str) -> None:
    with pytest.raises(engine.PromptError) as caught:
        attribute(gpt2.model, ids, token_id)
    assert caught.value.code == code


@pytest.mark.parametrize("attribute", [occlusion, gradient_input])
def test_what_is_not_a_number_is_refused(gpt2: Tiny, attribute: Callable) -> None:
    hf = copy.deepcopy(gpt2.reference)
    hf.get_parameter("transformer.ln_f.weight").data[0] = torch.nan
    with pytest.raises(engine.EngineError) as caught:
        attribute(remade(gpt2, hf), (5, 6), 9)
    assert caught.value.code == "not_finite"


def test_a_family_that_takes_no_embeddings_is_refused(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution_module, "accepts_argument", lambda _, argument: argument != "inputs_embeds")
    with pytest.raises(engine.EngineError) as caught:
        gradient_input(gpt2.model, (5, 6), 9)
    assert caught.value.code == "gradient"


def test_a_family_that_gives_all_logits_is_asked_all_the_same(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    want, gradient = occlusion(gpt2.model, (5, 6, 7), 9), gradient_input(gpt2.model, (5, 6, 7), 9)
    takes = forward_module.accepts_argument
    for module in (forward_module, attribution_module):
        monkeypatch.setattr(module, "accepts_argument", lambda hf, name: name != "logits_to_keep" and takes(hf, name))
    np.testing.assert_allclose(occlusion(gpt2.model, (5, 6, 7), 9).masked, want.masked, atol=1e-5)
    np.testing.assert_allclose(gradient_input(gpt2.model, (5, 6, 7), 9), gradient, atol=1e-5)


def slow_ranks(values: Sequence[float]) -> list[float]:
    return [sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2 for value in values]


@given(st.lists(st.tuples(st.integers(-3, 3), st.floats(-1e6, 1e6)), max_size=12))
def test_agreement_is_the_correlation_of_the_ranks(pairs: list[tuple[int, float]]) -> None:
    a, b = [float(x) for x, _ in pairs], [y for _, y in pairs]
    got = spearman(a, b)
    if len(set(a)) < 2 or len(set(b)) < 2:
        assert got is None
    else:
        assert got is not None
        assert got == pytest.approx(np.corrcoef(slow_ranks(a), slow_ranks(b))[0, 1], abs=1e-9)
        assert spearman(a, a) == pytest.approx(1) and spearman(b, a) == pytest.approx(got)
        assert spearman(a, [-v for v in b]) == pytest.approx(-got)


def test_agreement_of_different_texts_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="values"):
        spearman([1, 2], [1])
    assert spearman([1, 2, 3], [10, 30, 20]) == 0.5
    assert spearman([], []) is None and spearman([1], [2]) is None
