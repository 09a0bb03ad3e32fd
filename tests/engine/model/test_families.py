"""Further model families, each with an architectural peculiarity: all displayed quantities against the reference."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM, PreTrainedConfig

from engine.errors import EngineError
from engine.interpret import attribution as attribution_module
from engine.interpret import heads, induction
from engine.interpret.attribution import gradient_input, neutral_token, occlusion
from engine.interpret.logit_lens import logit_lens
from engine.model.loading import load
from tests import tiny
from tests.tiny import NO_IDS, SHAPE

_GROUPED: dict[str, Any] = {**SHAPE, "num_key_value_heads": 2}
_GPTJ: dict[str, Any] = {
    **NO_IDS, "n_positions": tiny.CONTEXT, "n_embd": 32, "n_layer": 3, "n_head": 4, "rotary_dim": 4,
    "initializer_range": 0.25,
}  # fmt: skip
_EXPERTS: dict[str, Any] = {"num_experts_per_tok": 2}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    # learned positions with an offset of two
    "OPT": ("OPTConfig", {**SHAPE, "ffn_dim": 48, "word_embed_proj_dim": 32, "init_std": 0.25}),
    # ALiBi: distances instead of position embeddings
    "BLOOM": ("BloomConfig", {**NO_IDS, "hidden_size": 32, "n_layer": 3, "n_head": 4, "initializer_range": 0.25}),
    # ALiBi, with a context length under another name (`max_seq_len`)
    "MPT": ("MptConfig", {"d_model": 32, "n_heads": 4, "n_layers": 3, "max_seq_len": 64, "initializer_range": 0.25}),
    "GPT-J": ("GPTJConfig", _GPTJ),  # interleaved rotary embedding
    "GPT-NeoX": ("GPTNeoXConfig", SHAPE),  # parallel attention and feed-forward
    "Falcon": ("FalconConfig", {**SHAPE, "num_kv_heads": 1}),  # multi-query attention
    "Gemma 3": ("Gemma3TextConfig", {**_GROUPED, "head_dim": 8, "sliding_window": 5, "query_pre_attn_scalar": 8}),
    "Qwen3": ("Qwen3Config", {**_GROUPED, "head_dim": 8}),  # normalized queries and keys
    "Mixtral": ("MixtralConfig", {**_GROUPED, **_EXPERTS, "num_local_experts": 3}),  # mixture of experts
    # attention sinks: rows do not sum to 1
    "gpt-oss": ("GptOssConfig", {**_GROUPED, **_EXPERTS, "head_dim": 8, "num_local_experts": 4, "sliding_window": 5}),
    "RWKV": ("RwkvConfig", {**NO_IDS, "hidden_size": 32, "num_hidden_layers": 3, "context_length": 64}),  # recurrent
    # attention in one layer of three, convolutions in the others
    "LFM2": ("Lfm2Config", {**_GROUPED, "layer_types": ["conv", "full_attention", "conv"]}),
}  # fmt: skip
IDS = tuple(range(20, 34))
TARGET = 9  # token whose probability is compared


@pytest.fixture(scope="module")
def build_family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folders: dict[str, Path] = {}

    def build(family: str) -> Path:
        if family not in folders:
            name, values = FAMILIES[family]
            tokenizer = tiny.byte_level()
            config: PreTrainedConfig = getattr(transformers, name)(vocab_size=tokenizer.get_vocab_size(), **values)
            folders[family] = tiny.save(tmp_path_factory.mktemp("family"), tokenizer, config, tiny.END)
        return folders[family]

    return build


@pytest.mark.parametrize("family", FAMILIES)
def test_another_family_equals_the_reference(
    family: str, build_family: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = build_family(family)
    model = load(folder, from_hub=False)
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    @torch.inference_mode()
    def run(ids: tuple[int, ...], **arguments: Any) -> Any:
        return reference(input_ids=torch.tensor([ids]), use_cache=False, **arguments)

    def log_probability(ids: tuple[int, ...], **arguments: Any) -> float:
        return float(torch.log_softmax(run(ids, **arguments).logits[0, -1].double(), dim=-1)[TARGET])

    for end in range(3, len(IDS) + 1):  # token by token
        output = model.records(IDS[:end])[-1]
    assert output.log_probability(TARGET) == pytest.approx(log_probability(IDS), abs=1e-4)
    lens = logit_lens(model, IDS)
    assert lens.probabilities(len(IDS) - 1, TARGET)[-1] == pytest.approx(np.exp(log_probability(IDS)), abs=1e-5)
    square = (len(IDS), len(IDS))
    out = run(IDS, output_attentions=True)
    attentions = [a for a in getattr(out, "attentions", None) or () if a is not None and a.shape[2:] == square]
    if attentions:
        np.testing.assert_allclose(model.attention(IDS), torch.cat(attentions).numpy(), atol=1e-5)
        assert 0 <= heads.previous_token_head(model)[2] <= 1
    else:
        with pytest.raises(EngineError) as caught:
            model.attention(IDS)
        assert caught.value.code == "attention"
    assert len(induction.induction_experiment(model, 1).second) > 3
    assert gradient_input(model, IDS, TARGET).shape == (len(IDS),)
    monkeypatch.setattr(attribution_module, "_BLOCK", 5)
    result = occlusion(model, IDS, TARGET)
    takes_positions = "position_ids" in inspect.signature(reference.forward).parameters
    positions = {"position_ids": torch.arange(len(IDS))[None]} if takes_positions else {}
    for i in range(len(IDS)):
        replaced = log_probability((*IDS[:i], neutral_token(model), *IDS[i + 1 :]))
        assert result.replaced_log_probabilities[i] == pytest.approx(replaced, abs=1e-4)
        if result.masked_log_probabilities is not None:
            mask = (torch.arange(len(IDS)) != i).long()[None]
            masked = log_probability(IDS, attention_mask=mask, **positions)
            assert result.masked_log_probabilities[i] == pytest.approx(masked, abs=1e-4)
    assert (result.masked_log_probabilities is not None) == (len(attentions) == model.prefix_cache.forward.layers)


def test_the_window_counts_whatever_its_name(build_family: Callable[[str], Path]) -> None:
    assert load(build_family("MPT"), from_hub=False).context_length == 64
