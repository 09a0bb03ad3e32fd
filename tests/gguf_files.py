"""Tiny GGUF files, written with the package `gguf` from tiny models in safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
PARTS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def gguf_name(name: str) -> str:
    """Name in GGUF of a Qwen2 tensor."""
    if name in NAMES:
        return NAMES[name]
    _, _, layer, part = name.split(".", 3)
    stem, kind = part.rsplit(".", 1)
    return f"blk.{layer}.{PARTS[stem]}.{kind}"


def quantized(data: np.ndarray, kind: str) -> tuple[np.ndarray, Any]:
    """Data and type of a tensor: only matrices whose rows are whole blocks are quantized."""
    wanted = gguf.GGMLQuantizationType[kind]
    whole = data.ndim == 2 and data.shape[1] % gguf.GGML_QUANT_SIZES[wanted][0] == 0
    chosen = wanted if whole else gguf.GGMLQuantizationType.F32
    return gguf.quants.quantize(data, chosen), chosen


def write(folder: Path, path: Path, kind: str = "F32", rule: str = "qwen2", **changes: Any) -> Path:
    """A GGUF file of the Qwen2 model in a folder. kind: quantization; rule: how its tokenizer splits text.

    changes: metadata to replace, such as `architecture`.
    """
    config = json.loads((folder / "config.json").read_text("utf-8"))
    architecture = changes.get("architecture", "qwen2")
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType[{"F32": "ALL_F32"}.get(kind, f"MOSTLY_{kind}")])
    writer.add_block_count(changes.get("layers", config["num_hidden_layers"]))
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    _add_tokenizer(writer, folder, config, rule)
    writer.add_chat_template(changes.get("template", "{{ messages }}"))
    for name, data in load_file(folder / "model.safetensors").items():
        stored, chosen = quantized(data.astype(np.float32), kind)
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
