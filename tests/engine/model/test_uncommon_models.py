"""Models whose outputs have other shapes or encodings than most, and vocabularies without common tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import engine
from engine.decoding.beam_search import BeamSearch
from engine.decoding.beam_types import BeamSettings
from engine.errors import EngineError, PromptError
from engine.interpret import heads
from engine.interpret.logit_lens import logit_lens
from engine.model.loading import load
from engine.model.model import Model
from engine.sampling.settings import Settings
from tests import tiny
from tests.families.comparison import load_reference, reference_log_probabilities
from tests.tiny import NO_IDS, SHAPE

IDS = tuple(range(20, 60))


def all_bytes() -> Tokenizer:
    """A tokenizer of 256 bytes without merges."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({char: i for i, char in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def letters(alphabet: str) -> Tokenizer:
    """A tokenizer of single characters."""
    tokenizer = Tokenizer(models.BPE({char: i for i, char in enumerate(alphabet)}, []))
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def ours(model: Model, ids: tuple[int, ...]) -> torch.Tensor:
    return torch.log_softmax(torch.from_numpy(model.records(ids)[-1].logits), -1)


OPT: dict[str, Any] = {
    **SHAPE,
    "ffn_dim": 48,
    "word_embed_proj_dim": 16,
    "do_layer_norm_before": False,
    "init_std": 0.25,
}
GEMMA_3N: dict[str, Any] = {
    **SHAPE, "intermediate_size": [48] * 3, "num_key_value_heads": 2, "head_dim": 8, "vocab_size_per_layer_input": 256,
    "hidden_size_per_layer_input": 8, "laurel_rank": 4, "sliding_window": 5, "num_kv_shared_layers": 1,
    "altup_num_inputs": 2, "activation_sparsity_pattern": [0.0] * 3,
    "layer_types": ["sliding_attention", "full_attention", "full_attention"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "values"), [("OPTConfig", OPT), ("Gemma3nTextConfig", GEMMA_3N)])
def test_hidden_states_of_unequal_shapes_are_left_out(name: str, values: dict[str, Any], tmp_path: Path) -> None:
    folder = tiny.save(tmp_path, all_bytes(), getattr(transformers, name)(vocab_size=256, **values))
    model, ids = load(folder, from_hub=False), IDS[:20]
    want = reference_log_probabilities(load_reference(folder), ids)
    for end in (3, 10, 20):
        torch.testing.assert_close(ours(model, ids[:end]), want[end - 1], atol=1e-4, rtol=0)
    with pytest.raises(EngineError) as caught:
        logit_lens(model, ids)
    assert caught.value.code == "lens"
    search = BeamSearch(model, ids, BeamSettings(width=3, max_new_tokens=4))
    search.grow_to(4)
    assert search.sequences


def gpt2(tokenizer: Tokenizer, folder: Path, extra: int = 0) -> Model:
    config = transformers.GPT2Config(
        vocab_size=tokenizer.get_vocab_size() + extra, n_positions=64, n_embd=32, n_layer=2, n_head=4,
        initializer_range=0.25, **NO_IDS,
    )  # fmt: skip
    return load(tiny.save(folder, tokenizer, config), from_hub=False)


@pytest.mark.parametrize("width", [1, 3])
def test_settings_that_leave_no_token_are_an_error_and_draw_nothing(tmp_path: Path, width: int) -> None:
    model = gpt2(letters("abcd\n"), tmp_path)
    ids, settings = model.encode("abcd\n"), Settings(no_repeat_ngram_size=1)
    calls = [
        lambda: model.distribution(ids, settings),
        lambda: list(engine.generate(model, ids, "sample", settings, max_new_tokens=3)),
        lambda: list(engine.generate(model, ids, "greedy", settings, max_new_tokens=3)),
        lambda: engine.beam_search(model, ids, width=width, no_repeat_ngram_size=1, max_new_tokens=3),
    ]
    for call in calls:
        with pytest.raises(EngineError) as caught:
            call()
        assert caught.value.code == "nothing_left"
    assert model.distribution(ids[:4], settings).kept == 1


@pytest.mark.parametrize("alphabet", ["0123456789+=", "ab", "abc", "字詞元"])
def test_any_vocabulary_can_be_looked_into(alphabet: str, tmp_path: Path) -> None:
    model = gpt2(letters(alphabet), tmp_path)
    ids = model.encode(alphabet * 2)
    if len(alphabet) < 3:  # too few tokens for a random string
        with pytest.raises(PromptError):
            heads.describe(model)
    else:
        assert len(heads.describe(model)) == 2
    assert logit_lens(model, ids).layers == 2


def test_a_tokenizer_with_more_tokens_than_the_model(tmp_path: Path) -> None:
    tokenizer = letters("ab ")
    tokenizer.add_tokens(["<new>"])
    model = gpt2(tokenizer, tmp_path, extra=-1)
    assert model.encode("a b")
    with pytest.raises(PromptError) as caught:
        model.read_prompt("a<new>b")
    assert caught.value.code == "token"


def test_the_lens_of_a_decoder_with_learned_positions_takes_a_whole_window(tmp_path: Path) -> None:
    config = transformers.BertConfig(
        vocab_size=256, is_decoder=True, **{**SHAPE, "max_position_embeddings": 64, "num_hidden_layers": 3}
    )
    model = load(tiny.save(tmp_path, all_bytes(), config), from_hub=False)
    ids = IDS[:26]  # 26 tokens in 3 layers are more states than the window has positions
    lens = logit_lens(model, ids)
    assert lens.probabilities(25, 9)[-1] == pytest.approx(float(ours(model, ids)[9].exp()), abs=1e-5)
