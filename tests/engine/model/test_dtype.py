"""Weights as bfloat16: the numbers of `transformers` in that format, in everything that is computed from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, BertConfig

import engine
from engine.interpret.logit_lens import logit_lens
from engine.model import memory, number_format
from engine.model.forward import Forward
from engine.model.loading import load
from engine.serving import model_registry
from tests import tiny
from tests.engine.conftest import Tiny

TEXT = "the cat sat on the mat"


def test_it_computes_what_transformers_computes(each: Tiny) -> None:
    model = load(each.folder, dtype="bfloat16")
    reference = AutoModelForCausalLM.from_pretrained(
        each.folder, dtype=torch.bfloat16, attn_implementation="eager"
    ).eval()
    ids = model.encode(TEXT)
    with torch.inference_mode():
        out = reference(input_ids=torch.tensor([ids]), output_attentions=True, use_cache=False)
    raw = torch.softmax(out.logits[0].float(), -1).numpy()
    np.testing.assert_allclose(model.distribution(ids).raw, raw[-1], atol=1e-5)
    assert np.abs(raw[-1] - each.model.distribution(ids).raw).max() > 1e-5  # another format
    if each.family != "mamba":
        attentions = torch.cat(out.attentions).float().numpy()
        np.testing.assert_allclose(model.attention(ids), attentions, atol=1e-5)
    # Token by token the products have other shapes, and round otherwise.
    stepped = load(each.folder, dtype="bfloat16")
    for end in range(1, len(ids) + 1):
        np.testing.assert_allclose(stepped.distribution(ids[:end]).raw, raw[end - 1], atol=0.02)


def test_everything_runs_in_it(gpt2: Tiny) -> None:
    model = load(gpt2.folder, dtype="bfloat16")
    ids = model.encode(TEXT)
    assert model.dtype == "bfloat16" and gpt2.model.dtype == "float32"
    assert model.weight_bytes < 0.6 * gpt2.model.weight_bytes
    assert np.isfinite(logit_lens(model, ids).probability).all()
    steps = list(engine.generate(model, ids, "greedy", max_new_tokens=5))
    assert len(steps) == 5
    assert len(engine.beam_search(model, ids, 3, max_new_tokens=4).sequences) == 3
    assert np.isfinite(engine.gradient_input(model, ids, steps[0].token_id)).all()
    assert engine.occlusion(model, ids, steps[0].token_id) is not None


def test_a_model_that_looks_both_ways_is_found_out_in_it_too(tmp_path: Path) -> None:
    tokenizer = tiny.wordpiece()
    shape: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 48}
    config = BertConfig(vocab_size=tokenizer.get_vocab_size(), num_attention_heads=4, **shape, initializer_range=0.25)
    tiny.save(tmp_path, tokenizer, config)
    with pytest.raises(engine.ModelError) as caught:
        load(tmp_path, dtype="bfloat16")
    assert caught.value.code == "not_causal"


def test_it_takes_half_the_memory(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "RESERVE", 0)
    monkeypatch.setattr(memory, "available_bytes", lambda: int(0.7 * gpt2.model.weight_bytes))
    assert load(gpt2.folder, dtype="bfloat16")
    with pytest.raises(engine.ModelError) as caught:
        load(gpt2.folder)
    assert caught.value.code == "too_large_memory"


@pytest.mark.parametrize("faster", ["float32", "bfloat16"])
def test_the_faster_of_both_is_taken_where_the_host_says_so(
    gpt2: Tiny, monkeypatch: pytest.MonkeyPatch, faster: number_format.Format
) -> None:
    assert 0 < number_format.text_seconds(gpt2.model.prefix_cache.forward) < 60
    measured: list[str] = []

    def seconds(forward: Forward) -> float:
        measured.append(str(forward.model.dtype).removeprefix("torch."))
        return 1.0 if measured[-1] == faster else 2.0

    monkeypatch.setattr(number_format, "text_seconds", seconds)
    model = load(gpt2.folder, dtype="auto")
    assert model.dtype == faster and sorted(measured) == ["bfloat16", "float32"]
    expected = load(gpt2.folder, dtype=faster)
    ids = model.encode(TEXT)
    np.testing.assert_array_equal(model.distribution(ids).raw, expected.distribution(ids).raw)


def test_the_host_chooses_it(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_registry, "_models", {})
    monkeypatch.setenv("ENGINE_MODELS", "/*")
    monkeypatch.setenv("ENGINE_DTYPE", "BFloat16")
    assert model_registry.request(str(gpt2.folder)).result().dtype == "bfloat16"
    assert model_registry.request().result().dtype == "float32"
