"""Tiny GGUF files, written with the package `gguf` from tiny models in safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors
from tokenizers import Tokenizer

from engine.bundled import BUNDLED

# Parts of names in safetensors and in GGUF. `transformers` reads Qwen2 by its older loader, LFM2 by its newer one.
NAMES = {
    "model.layers.": "blk.",
    "model.embed_tokens": "token_embd",
    "model.embedding_norm": "token_embd_norm",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.out_proj": "attn_output",
    "self_attn.q_layernorm": "attn_q_norm",
    "self_attn.k_layernorm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "feed_forward.w1": "ffn_gate",
    "feed_forward.w3": "ffn_up",
    "feed_forward.w2": "ffn_down",
    "input_layernorm": "attn_norm",
    "operator_norm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "conv.in_proj": "shortconv.in_proj",
    "conv.out_proj": "shortconv.out_proj",
    "conv.conv": "shortconv.conv",
}


def gguf_name(name: str) -> str:
    """Name in GGUF of a tensor."""
    for part, other in NAMES.items():
        if part in name:
            name = name.replace(part, other)
            if not part.startswith("model.layers"):
                break
    return name


def quantized(data: np.ndarray, kind: str) -> tuple[np.ndarray, Any]:
    """Data and type of a tensor: only matrices whose rows are whole blocks are quantized."""
    wanted = gguf.GGMLQuantizationType[kind]
    whole = data.ndim == 2 and data.shape[1] % gguf.GGML_QUANT_SIZES[wanted][0] == 0
    chosen = wanted if whole else gguf.GGMLQuantizationType.F32
    return gguf.quants.quantize(data, chosen), chosen


def write(folder: Path, path: Path, kind: str = "F32", rule: str = "qwen2", **changes: Any) -> Path:
    """A GGUF file of the model in a folder, Qwen2 or LFM2. kind: quantization; rule: how its tokenizer splits text.

    changes: metadata to replace, such as `architecture`.
    """
    config = json.loads((folder / "config.json").read_text("utf-8"))
    architecture = changes.get("architecture", config["model_type"])
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType[{"F32": "ALL_F32"}.get(kind, f"MOSTLY_{kind}")])
    writer.add_block_count(changes.get("layers", config["num_hidden_layers"]))
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    heads, layers = config["num_key_value_heads"], config.get("layer_types", [])
    if "conv" in layers:
        writer.add_shortconv_l_cache(config["conv_L_cache"])
        heads = [heads * (layer != "conv") for layer in layers]
    writer.add_head_count_kv(heads)
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config.get("rms_norm_eps", config.get("norm_eps")))
    _add_tokenizer(writer, folder, config, rule)
    writer.add_chat_template(changes.get("template", "{{ messages }}"))
    for name, data in load_file(folder / "model.safetensors").items():
        squeezed = data[:, 0] if data.ndim == 3 else data  # a convolution's kernel
        stored, chosen = quantized(squeezed.astype(np.float32), kind)
        writer.add_tensor(gguf_name(name), stored, raw_dtype=chosen)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: Any, folder: Path, config: dict[str, Any], rule: str) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    content = json.loads(tokenizer.to_str())
    names = {index: token for token, index in tokenizer.get_vocab().items()}
    special = {token["id"] for token in content["added_tokens"]}
    tokens = [names.get(index, f"<unused{index}>") for index in range(config["vocab_size"])]
    kinds = [3 if index in special else 1 if index in names else 5 for index in range(len(tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(rule)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in content["model"]["merges"]])
    writer.add_eos_token_id(config["eos_token_id"])


def write_bundled(path: Path, template: str = "") -> Path:
    """The bundled model as a GGUF file in float32. llama.cpp splits its texts by GPT-2's rule, not by the model's."""
    config = json.loads((BUNDLED / "config.json").read_text("utf-8"))
    heads, width = config["num_attention_heads"], config["hidden_size"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("bundled")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    _add_tokenizer(writer, BUNDLED, config, "gpt-2")
    writer.add_add_bos_token(False)
    if template:
        writer.add_chat_template(template)
    for name, tensor in load_tensors(BUNDLED / "model.safetensors").items():
        data = tensor.float().numpy()
        if "q_proj" in name or "k_proj" in name:  # the rotary embedding of llama.cpp pairs neighbouring rows
            data = data.reshape(heads, 2, width // heads // 2, width).swapaxes(1, 2).reshape(width, width)
        writer.add_tensor(gguf_name(name), np.ascontiguousarray(data), raw_dtype=gguf.GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
