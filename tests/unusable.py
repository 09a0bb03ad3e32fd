"""Tiny models whose numbers are unusable right after one token, and ordinary everywhere else.

`nan` in the embedding spreads to every later position by attention. The other kinds are in the logits after that token
alone: dimension 0 of the hidden state is nonzero there only, and the LM head multiplies it beyond float32.
"""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

from safetensors.torch import load_file, save_file
from transformers import LlamaConfig

from tests import tiny

KINDS = ("nan", "infinite", "one_infinite", "forbidden")
CONTEXT = 512
HUGE = 3e38  # a little less than the largest float32


def build(folder: Path) -> Path:
    """A tiny Llama with byte-level BPE, in which dimension 0 of the hidden state stays 0 at every token."""
    tokenizer = tiny.byte_level()
    shape = tiny.SHAPE | {"max_position_embeddings": CONTEXT}
    size = tokenizer.get_vocab_size()
    tiny.save(folder, tokenizer, LlamaConfig(vocab_size=size, tie_word_embeddings=False, **shape), tiny.END)
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"][:, 0] = 0.0
    for name, weight in weights.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight[0] = 0.0
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def spoil(sound: Path, folder: Path, token_id: int, kind: str) -> Path:
    """A copy of a model of `build` whose logits after a token are NaN, all or one infinite, or all -inf (`forbidden`).

    `none`: an unchanged copy.
    """
    copytree(sound, folder, dirs_exist_ok=True)
    weights = load_file(folder / "model.safetensors")
    if kind == "nan":
        weights["model.embed_tokens.weight"][token_id, 0] = float("nan")
    elif kind != "none":
        weights["model.embed_tokens.weight"][token_id, 0] = 1.0
        weights["model.norm.weight"][0] = 100.0
        rows = slice(7, 8) if kind == "one_infinite" else slice(None)
        weights["lm_head.weight"][rows, 0] = -HUGE if kind == "forbidden" else HUGE
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder
