"""Model loading: supported models, an error code for everything else, and no code from repositories."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    T5Config,
    T5ForConditionalGeneration,
)

import engine
from engine.model import loading, memory, safetensors_header
from engine.model.loading import load
from tests import tiny
from tests.engine.conftest import Tiny


@pytest.fixture
def folder(gpt2: Tiny, tmp_path: Path) -> Path:
    """Copy of the tiny GPT-2 model, for tests that damage it."""
    return Path(shutil.copytree(gpt2.folder, tmp_path / "model"))


def refusal(name: str | Path) -> str:
    with pytest.raises(engine.ModelError) as caught:
        load(name, from_hub=False)
    assert caught.value.values["name"] == str(name)
    return caught.value.code


def change(folder: Path, file: str, **values: object) -> None:
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), "utf-8")


def test_a_folder_as_text_or_path(each: Tiny) -> None:
    for name in (str(each.folder), each.folder):
        model = load(name, from_hub=False)
        assert model.name == str(each.folder)
        assert model.context_length == (2048 if each.family == "mamba" else tiny.CONTEXT)
        assert model.vocabulary.size == model.vocabulary._tokenizer.get_vocab_size() + tiny.UNNAMED
        assert model.pieces(sorted(model.end_ids)) == ["⟨/s⟩" if each.family in ("llama", "mistral") else "⟨endoftext⟩"]


def test_the_stages_are_told_as_they_begin(gpt2: Tiny) -> None:
    stages: list[str] = []
    load(gpt2.folder, from_hub=False, stage=stages.append)
    assert stages == ["files", "tokenizer", "weights", "warm_up"]


def test_several_at_once_see_the_memory_that_the_others_take(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights are read one model after the other, and a stop ends the waiting."""
    checked: list[bool] = []
    monkeypatch.setattr(memory, "check_memory", lambda name, needed: checked.append(loading._allocating.locked()))
    load(gpt2.folder, from_hub=False)
    assert checked == [False, True]
    stop = threading.Event()
    with loading._allocating, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(load, gpt2.folder, stop=stop)
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        stop.set()
        failed = waiting.exception(5)
    assert isinstance(failed, engine.ModelError) and failed.code == "stopped"


def test_weights_that_are_there_twice_count_once(folder: Path) -> None:
    sizes = safetensors_header.tensor_sizes(folder)
    assert sizes is not None and sum(sizes.values()) == sum(
        t.numel() for t in load_file(folder / "model.safetensors").values()
    )
    shutil.copy(folder / "model.safetensors", folder / "consolidated.safetensors")
    assert safetensors_header.tensor_sizes(folder) == sizes and load(folder, from_hub=False)


def test_a_tokenizer_of_another_family(tmp_path: Path) -> None:
    """Chinese GPT-2 models have BERT's vocabulary: `tokenizer.json` overrides the tokenizer class of the family."""
    tokenizer = tiny.wordpiece()
    _, make_config = tiny.FAMILIES["gpt2"]
    tiny.save(tmp_path, tokenizer, make_config(tokenizer.get_vocab_size()))
    model = load(tmp_path, from_hub=False)
    ids = model.encode("今天天氣真好")
    assert model.pieces(ids) == ["⟨CLS⟩", "今", "天", "天", "氣", "真", "好"]
    assert model.text(ids) == "今天天氣真好"
    assert model.distribution(ids).size == tokenizer.get_vocab_size()
    assert model.pieces(sorted(model.end_ids)) == ["⟨SEP⟩"]  # the config names no end


@pytest.mark.parametrize("named", [None, "BertTokenizer", "BertTokenizerFast"])
@pytest.mark.parametrize("end", [None, 50256])
def test_a_chinese_gpt2_with_a_list_of_words_alone(tmp_path: Path, named: str | None, end: int | None) -> None:
    """As published: `vocab.txt`, and an end of text that is GPT-2's own or none."""
    tokenizer = tiny.wordpiece()
    tiny.save(tmp_path, tokenizer, tiny.FAMILIES["gpt2"][1](tokenizer.get_vocab_size()))
    for path in tmp_path.glob("tokenizer*"):
        path.unlink()
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (tmp_path / "vocab.txt").write_text("".join(f"{word}\n" for word, _ in words), "utf-8")
    change(tmp_path, "config.json", eos_token_id=end, tokenizer_class=named)
    model = load(tmp_path, from_hub=False)
    reference = BertTokenizer(str(tmp_path / "vocab.txt"))
    for text in ("今天天氣真好", "The cat sat on the mat.", "龘 天"):
        assert list(model.encode(text)) == reference(text)["input_ids"][:-1]  # without [SEP]: the text is continued
    assert model.text(model.encode("今天天氣真好")) == "今天天氣真好"
    assert model.pieces(sorted(model.end_ids)) == ["⟨SEP⟩"]


def test_a_list_of_words_that_is_not_berts(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()
    (folder / "vocab.txt").write_text("a\nb\n[UNK]\n", "utf-8")
    assert refusal(folder) == "no_tokenizer"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/no/such/folder",
        "no-such-model",
        "nobody/no-such-model",
        "../..",
        "a/b/c",
        "x\0y",
        "a" * 5000,
        "http://x.y/z",
    ],
)
def test_missing(name: str) -> None:
    if name:
        assert refusal(name) == "missing"


def test_missing_on_the_hub_while_there_is_no_network() -> None:
    with pytest.raises(engine.ModelError) as caught:
        load("nobody/no-such-model")
    assert caught.value.code == "offline"


def test_an_empty_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "missing"


class _Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return Path.touch, (self.marker,)


PICKLES = ("pytorch_model.bin", "adapter_model.bin", "training_args.bin", "model.pt", "model.ckpt", "tokenizer.pkl")


@pytest.mark.parametrize("beside", [False, True])
def test_no_pickle_is_ever_opened(folder: Path, tmp_path: Path, beside: bool) -> None:
    for name in PICKLES:
        torch.save({"x": _Bomb(tmp_path / "ran")}, folder / name)
    index = {"metadata": {}, "weight_map": {"transformer.wte.weight": "pytorch_model.bin"}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), "utf-8")
    if beside:
        load(folder, from_hub=False)
    else:
        (folder / "model.safetensors").unlink()
        assert refusal(folder) == "no_safetensors"
    assert not (tmp_path / "ran").exists()
    torch.load(folder / "pytorch_model.bin", weights_only=False)
    assert (tmp_path / "ran").exists()  # the payload works when it is unpickled


def test_a_pickle_by_the_name_of_safetensors_is_not_opened(folder: Path, tmp_path: Path) -> None:
    torch.save({"x": _Bomb(tmp_path / "ran")}, folder / "model.safetensors")
    assert refusal(folder) == "broken"
    assert not (tmp_path / "ran").exists()


def test_without_a_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()
    assert refusal(folder) == "no_tokenizer"


def test_a_tokenizer_that_cannot_be_read(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"model": 3}', "utf-8")
    assert refusal(folder) == "no_tokenizer"


def test_a_model_that_looks_both_ways(tmp_path: Path) -> None:
    tokenizer = tiny.wordpiece()
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        initializer_range=0.25,
    )
    tiny.save(tmp_path, tokenizer, config)
    assert refusal(tmp_path) == "not_causal"


def test_a_model_with_an_encoder(folder: Path) -> None:
    config = T5Config(vocab_size=303, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    assert refusal(folder) == "encoder_decoder"
    bart = BartConfig(
        vocab_size=303, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_attention_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    BartForConditionalGeneration(bart).save_pretrained(folder)
    assert refusal(folder) == "encoder_decoder"


def test_a_model_that_fills_in_masks(folder: Path) -> None:
    shape: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    BertForMaskedLM(BertConfig(vocab_size=303, **shape)).save_pretrained(folder)
    assert refusal(folder) == "masked"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(folder: Path, value: float) -> None:
    state = load_file(folder / "model.safetensors")
    state["transformer.ln_f.weight"][3] = value
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    assert refusal(folder) == "not_finite_weights"


def test_truncated_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    for length in (0, 5, 1000, len(whole) // 2, len(whole) - 1):
        weights.write_bytes(whole[:length])
        assert refusal(folder) == "broken"


def test_missing_and_misshapen_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    state = load_file(weights)
    name = next(name for name in state if name.endswith("c_attn.weight"))
    save_file({k: v for k, v in state.items() if k != name}, weights, metadata={"format": "pt"})
    assert refusal(folder) == "broken"
    save_file({**state, name: state[name][:, :-1].contiguous()}, weights, metadata={"format": "pt"})
    assert refusal(folder) == "broken"


def test_a_config_that_cannot_be_read(folder: Path) -> None:
    (folder / "config.json").write_text("{", "utf-8")
    assert refusal(folder) in ("broken", "not_causal")


REMOTE = """
from pathlib import Path
Path({marker!r}).touch()
from transformers import GPT2Config, GPT2LMHeadModel
class Config(GPT2Config):
    model_type = "of-its-own"
class Causal(GPT2LMHeadModel):
    config_class = Config
"""


@pytest.mark.parametrize("known", [True, False])
def test_code_of_a_repository_is_never_run(folder: Path, tmp_path: Path, known: bool) -> None:
    marker = tmp_path / "ran"
    (folder / "own.py").write_text(REMOTE.format(marker=str(marker)), "utf-8")
    auto_map = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Causal", "AutoTokenizer": ["own.T", None]}
    change(folder, "config.json", auto_map=auto_map, **({} if known else {"model_type": "of-its-own"}))
    change(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["own.T", None]})
    if known:
        assert load(folder, from_hub=False).encode("cat")
    else:
        assert refusal(folder) == "not_causal"
    assert not marker.exists()


def test_a_family_with_a_way_of_its_own(tmp_path: Path) -> None:
    """GPT-Neo supports only its own attention; the recorded quantities are the same."""
    from transformers import GPTNeoConfig

    tokenizer = tiny.byte_level()
    config = GPTNeoConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_layers=2,
        attention_types=[[["global", "local"], 1]],
        num_heads=4,
        window_size=4,
        max_position_embeddings=tiny.CONTEXT,
        initializer_range=0.25,
        bos_token_id=None,
        eos_token_id=None,
    )
    tiny.save(tmp_path, tokenizer, config, tiny.END)
    model = load(tmp_path, from_hub=False)
    reference = AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager").eval()
    ids = list(range(10, 30))
    with torch.inference_mode():
        out = reference(input_ids=torch.tensor([ids]), output_attentions=True)
    for end in range(1, len(ids) + 1):
        raw = torch.from_numpy(model.distribution(ids[:end]).raw)
        torch.testing.assert_close(raw, torch.softmax(out.logits[0, end - 1], -1), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.from_numpy(model.attention(ids)), torch.cat(out.attentions), atol=1e-5, rtol=0)
    assert model.prefix_cache.counters.tokens == len(ids)
