"""Tiny models and tokenizers with random weights, saved in the format of the Hugging Face Hub.

Each family covers another architecture: learned positions (GPT-2), rotary positions (Llama), grouped-query attention
(Qwen2), a sliding window (Mistral), a sliding window in every other layer and soft-capping (Gemma 2), no attention
(Mamba). The weights are large enough that the distributions are far from flat.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

CONTEXT = 64
END = "<|endoftext|>"
TEXTS = [
    "今天天氣真好，我們去公園散步。",
    "天空是藍色的，天上有白雲。",
    "氣象報告說明天會下雨。",
    "Today the weather is good, and the sky is blue.",
    "the cat sat on the mat, the dog sat on the log",
    "Once upon a time there was a little cat.",
]


def byte_level() -> Tokenizer:
    """Byte-level BPE as in GPT-2 with few merges: most Chinese characters are two or three tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def wordpiece() -> Tokenizer:
    """WordPiece as in Chinese BERT: one token for each character, [CLS] before and [SEP] after each text."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    characters = sorted({char for text in TEXTS for char in text.lower() if not char.isspace()})
    words = [*special, *characters, *(f"##{char}" for char in characters if char.isascii()), "the", "cat", "##at"]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in special])
    return tokenizer


def sentencepiece() -> Tokenizer:
    """SentencePiece BPE as in Llama: ▁ for a space, byte fallback for unknown characters, <s> before each text."""
    special = ["<unk>", "<s>", "</s>"]
    known = sorted({char for text in TEXTS[:2] + TEXTS[3:] for char in text.replace(" ", "▁")} | {"▁"})
    words = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *known, "▁t", "▁th", "▁the", "天天"]
    tokenizer = Tokenizer(
        models.BPE(
            {word: i for i, word in enumerate(words)},
            [("▁", "t"), ("▁t", "h"), ("▁th", "e"), ("天", "天")],
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in special])
    return tokenizer


NO_IDS: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
SHAPE: dict[str, Any] = {
    **NO_IDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.25,
}
_GEMMA: dict[str, Any] = {
    "head_dim": 8,
    "query_pre_attn_scalar": 8,
    "attn_logit_softcapping": 4.0,
    "final_logit_softcapping": 8.0,
}
FAMILIES: dict[str, tuple[Callable[[], Tokenizer], Callable[[int], PreTrainedConfig]]] = {
    "gpt2": (
        byte_level,
        lambda size: GPT2Config(
            vocab_size=size,
            n_positions=CONTEXT,
            n_embd=32,
            n_layer=3,
            n_head=4,
            initializer_range=0.25,
            **NO_IDS,
        ),
    ),
    "llama": (sentencepiece, lambda size: LlamaConfig(vocab_size=size, **SHAPE)),
    "qwen2": (byte_level, lambda size: Qwen2Config(vocab_size=size, num_key_value_heads=2, **SHAPE)),
    "mistral": (
        sentencepiece,
        lambda size: MistralConfig(vocab_size=size, num_key_value_heads=1, sliding_window=4, **SHAPE),
    ),
    "gemma2": (
        byte_level,
        lambda size: Gemma2Config(vocab_size=size, num_key_value_heads=2, sliding_window=5, **_GEMMA, **SHAPE),
    ),
    "mamba": (
        byte_level,
        lambda size: MambaConfig(
            vocab_size=size, hidden_size=32, num_hidden_layers=3, state_size=4, initializer_range=0.25, **NO_IDS
        ),
    ),
}
ATTENTIVE = [name for name in FAMILIES if name != "mamba"]
UNNAMED = 3  # ids of the model that its tokenizer lacks


def save(folder: Path, tokenizer: Tokenizer, config: PreTrainedConfig, end: str | None = None) -> Path:
    """Save a model with random weights, and its tokenizer, in a folder. `end`: its end-of-text token."""
    config.eos_token_id = tokenizer.token_to_id(end) if end else None
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
        for weight in model.parameters():
            if weight.ndim == 1:  # biases and norms are initialised to 0 and 1, which would hide errors
                weight.data.add_(torch.randn_like(weight) * 0.1)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end).save_pretrained(folder)
    return folder


def build(family: str, folder: Path) -> Path:
    """Save the tiny model of a family in a folder."""
    make_tokenizer, make_config = FAMILIES[family]
    tokenizer = make_tokenizer()
    end = END if tokenizer.token_to_id(END) is not None else "</s>"
    return save(folder, tokenizer, make_config(tokenizer.get_vocab_size() + UNNAMED), end)
