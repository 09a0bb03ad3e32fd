"""Comparison of the engine with `transformers` on a real checkpoint: probabilities, attention, beam search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

import engine
from engine.model.model import Model
from tests.bench.beam import empty

TEXTS = ("今天天氣真", "The capital of France is", "def add(a, b):\n    return", "從前有一隻小貓，牠住在森林裡。")
WIDTH, NEW_TOKENS = 4, 12


def reference(folder: Path, attention: str) -> PreTrainedModel:
    """The model in plain `transformers`."""
    loaded: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation=attention
    )
    return loaded.eval()


@torch.inference_mode()
def check(model: Model, folder: Path) -> list[str]:
    """Largest differences over all texts, as lines. Raises AssertionError beyond the bounds of the engine's tests."""
    tokenizer, eager = AutoTokenizer.from_pretrained(folder), reference(folder, "eager")
    probability = attention = 0.0
    for text in TEXTS:
        ids = model.encode(text)
        assert list(ids) == tokenizer(text)["input_ids"], text
        out = eager(input_ids=torch.tensor([ids]), output_attentions=True)
        expected = torch.softmax(out.logits[0].double(), -1).numpy()  # (T, V)
        once = empty(model)
        once.records(ids)  # in one pass, as the reference: token by token both round differently
        for at in range(len(ids)):
            found = once.distribution(ids[: at + 1]).raw
            probability = max(probability, float(np.abs(found - expected[at]).max()))
        weights = torch.stack(out.attentions)[:, 0].numpy()  # (L, H, T, T)
        attention = max(attention, float(np.abs(once.attention(ids) - weights).max()))
        _check_beams(model, eager, ids)
    assert probability < 1e-5 and attention < 1e-4, (probability, attention)
    return [
        f"token ids equal, probabilities within {probability:.1e}, attention within {attention:.1e} of transformers",
        f"beam search {WIDTH} × {NEW_TOKENS} equal to generate on {len(TEXTS)} prompts",
    ]


def _check_beams(model: Model, eager: PreTrainedModel, ids: tuple[int, ...]) -> None:
    ours = engine.beam_search(model, ids, width=WIDTH, max_new_tokens=NEW_TOKENS).sequences
    theirs = eager.generate(  # type: ignore[operator]
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
        num_beams=WIDTH, num_return_sequences=WIDTH, max_new_tokens=NEW_TOKENS, pad_token_id=0,
        return_dict_in_generate=True, output_scores=True,
        **_neutral(),
    )  # fmt: skip
    for sequence, row, score in zip(ours, theirs.sequences.tolist(), theirs.sequences_scores.tolist(), strict=True):
        assert row[: len(sequence.token_ids)] == list(sequence.token_ids)
        assert abs(sequence.score - score) < 1e-4


def _neutral() -> dict[str, float]:
    """Settings that a checkpoint's own generation config may change."""
    return {"repetition_penalty": 1.0, "length_penalty": 1.0}
