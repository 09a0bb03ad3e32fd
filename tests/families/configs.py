"""Tiny configurations of the causal model families of `transformers`.

A family's configuration is its class with the sizes below, by whatever names its class has for them, and with the
values of `OVERRIDES` where its parts must agree with each other. Configurations that hold others (a language model
beside an image encoder) get the sizes in each part.
"""

from __future__ import annotations

import inspect
from typing import Any

from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

LAYERS, HEADS, WIDTH, CONTEXT, WINDOW = 3, 4, 32, 64, 5


def _all(names: str, value: Any) -> dict[str, Any]:
    return dict.fromkeys(names.split(), value)


SIZES: dict[str, Any] = {
    **_all("hidden_size n_embd d_model embedding_size word_embed_proj_dim router_hidden_size", WIDTH),
    **_all("intermediate_size ffn_dim decoder_ffn_dim encoder_ffn_dim d_ff ffn_hidden_size", 48),
    **_all("moe_intermediate_size shared_expert_intermediate_size dim_ff expert_ffn_hidden_size", 16),
    **_all("num_hidden_layers n_layer n_layers num_layers decoder_layers encoder_layers", LAYERS),
    **_all("num_decoder_layers num_encoder_layers", LAYERS),
    **_all("num_attention_heads n_head n_heads num_heads decoder_attention_heads encoder_attention_heads", HEADS),
    **_all("num_decoder_attention_heads num_encoder_attention_heads linear_num_heads", HEADS),
    **_all("linear_num_key_heads linear_num_value_heads", HEADS),
    **_all("n_positions n_ctx max_seq_len max_position_embeddings model_max_length", CONTEXT),
    **_all("num_experts num_local_experts n_routed_experts moe_num_experts", 4),
    **_all("num_experts_per_tok num_experts_per_token moe_k moe_topk zero_expert_num num_key_value_heads", 2),
    **_all("index_n_heads", 2),
    **_all("index_topk", CONTEXT),  # all keys: equal scores of small indexers would be selected by chance
    **_all("n_group topk_group num_expert_group first_k_dense_replace", 1),
    **_all("head_dim qk_nope_head_dim v_head_dim kv_lora_rank linear_head_dim linear_key_head_dim", 8),
    **_all("linear_value_head_dim index_head_dim hidden_size_per_layer_input", 8),
    **_all("qk_rope_head_dim rotary_dim", 4),
    **_all("q_lora_rank", 12),
    **_all("sliding_window attention_window_size local_attention_window_len", WINDOW),
    **_all("bos_token_id eos_token_id", 1),
    **_all("pad_token_id", 0),
    **_all("initializer_range init_std", 0.25),
    "is_decoder": True,
}
_VOCABULARY = "vocab_size vocab_size_per_layer_input"
_MAMBA_HEADS = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_expand": 2}
_ROPE = {"rope_type": "default", "rope_theta": 10_000.0}
_ROPE_BY_LAYER = {"full_attention": _ROPE, "sliding_attention": _ROPE}
OVERRIDES: dict[str, dict[str, Any]] = {
    "bamba": _MAMBA_HEADS,
    "granitemoehybrid": _MAMBA_HEADS,
    "falcon_h1": {**_MAMBA_HEADS, "mamba_d_ssm": 64},
    "mamba2": {"num_heads": 8, "head_dim": 8, "expand": 2, "state_size": 8, "n_groups": 1},
    "nemotron_h": {"mamba_num_heads": 8, "mamba_head_dim": 8, "ssm_state_size": 8, "n_groups": 1},
    "gpt_neo": {"attention_types": [[["global", "local", "global"], 1]], "window_size": WINDOW},
    "dots1": {"n_routed_experts": 4, "num_experts_per_tok": 2, "n_shared_experts": 1, "moe_intermediate_size": 16},
    "zaya": {"num_experts_per_tok": 1},
    "zamba2": {"layers_block_type": ["linear_attention", "hybrid", "hybrid"]},
    "lfm2_moe": {"layer_types": ["conv", "full_attention", "conv"]},
    "cohere_compass_text": {"rope_parameters": _ROPE_BY_LAYER},
    "dots3_note_text": {"per_layer_config": {}, "head_dim": 12, "layer_types": ["indexed_attention"] * LAYERS},
    "gemma3n_text": {
        "intermediate_size": [48] * LAYERS, "laurel_rank": 4, "num_kv_shared_layers": 1, "altup_num_inputs": 2,
        "activation_sparsity_pattern": [0.0] * LAYERS,
        "layer_types": ["sliding_attention", "full_attention", "full_attention"],
    },
    "big_bird": {"attention_type": "original_full"},  # as a decoder
    "xlm": {"causal": True},
    "longcat_flash": {"head_dim": 4},
    "xmod": {"default_language": "en_XX"},
    "blt": {"encoder_hash_byte_group_vocab": 50},
    "reformer": {
        "axial_pos_embds_dim": (16, 16), "axial_pos_shape": (8, 8), "attn_layers": ["local", "local", "local"],
        "attention_head_size": 8,
    },
    "roc_bert": {"pronunciation_embed_dim": 8, "shape_embed_dim": 8, "shape_vocab_size": 50},
}  # fmt: skip


# What is expected of the families that are not compared: no configuration of these sizes, or a refusal by its code.
NO_CONFIGURATION = "no tiny configuration"
EXCEPTIONS: dict[str, str] = {
    # from bytes to patches of bytes: no vocabulary and no layers in the usual sense
    "blt": "broken",
    # attention to later tokens
    "cpmant": "not_causal",
    "prophetnet": "not_causal",
    "xlnet": "not_causal",
    # the language model of an image model, whose saved configuration is of no causal family by itself
    "emu3": "not_causal",
    "mllama": "not_causal",
    # parts that agree with each other only at the sizes of the released models
    **dict.fromkeys(
        ("dbrx", "dots3_note", "gemma4_assistant", "gemma4_unified_assistant", "musicgen", "musicgen_melody", "zamba"),
        NO_CONFIGURATION,
    ),
    "gemma3n": NO_CONFIGURATION,  # its image encoder needs another library
}


def families() -> list[str]:
    """Names of all model types for which `transformers` has a causal language model, sorted."""
    return sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


def tiny_config(family: str, vocabulary: int) -> PreTrainedConfig:
    """Configuration of a family with a few thousand parameters. Raises what its class raises for it."""
    return _config(CONFIG_MAPPING[family], vocabulary)


def _config(cls: type[PreTrainedConfig], vocabulary: int) -> PreTrainedConfig:
    names = set(inspect.signature(cls.__init__).parameters) | set(getattr(cls, "attribute_map", None) or {})
    for base in cls.__mro__:
        names |= set(getattr(base, "__annotations__", {}))
    sizes = {**SIZES, **_all(_VOCABULARY, vocabulary)}
    values = {name: value for name, value in sizes.items() if name in names}
    if "kv_lora_rank" in names:  # multi-head latent attention: keys of all heads from one compressed state
        values["num_key_value_heads"] = HEADS
    for part, part_class in (getattr(cls, "sub_configs", None) or {}).items():
        if part_class is AutoConfig:
            part_class = type(getattr(cls(), part))
        if issubclass(part_class, PreTrainedConfig) and getattr(cls(), part, None) is not None:
            values[part] = _config(part_class, vocabulary)
    return cls(**{**values, **OVERRIDES.get(cls.model_type, {})})
