"""Evaluation of a tiny model: consistency of the measures, and error messages for missing input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from engine.training import baselines, bits_per_character, leaks, prompt_suite, samples
from engine.training import tokenizer as tokenizers
from engine.training.__main__ import main
from engine.training.corpus import Source
from engine.training.evaluate import load
from engine.training.prepare import chat_parts, encode, prepare

SENTENCES = [f"今天天氣真{a}，{b}去公園{c}。" for a in "好熱冷悶" for b in ("我", "他們") for c in ("玩", "散步", "跑")]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    (folder / "weather.txt").write_text("\n\n".join(SENTENCES * 2 + [f"第{i}天。" for i in range(300)]), "utf-8")
    trained = tokenizers.train_bpe(SENTENCES, 400)
    tokenizers.save(trained, folder / "tokenizer")
    prepare([Source("weather", folder / "weather.txt")], trained, folder, 300)
    return folder


@pytest.fixture(scope="module")
def model(work: Path) -> LlamaForCausalLM:
    torch.manual_seed(0)
    size = tokenizers.load(work / "tokenizer").get_vocab_size()
    config = LlamaConfig(
        vocab_size=size, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32, bos_token_id=None, eos_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


@pytest.fixture
def tokenizer(work: Path) -> Tokenizer:
    return tokenizers.load(work / "tokenizer")


def test_the_chances_of_the_5_gram_add_up() -> None:
    text = "今天天氣真好。明天天氣不好。" * 20 + "".join(chr(0x4E00 + i) for i in range(200))
    ngram = baselines.Ngram(text)
    for before in ("今天天氣", "真", "z", "天天天天天天"):
        bits = ngram.bits(before)
        probabilities = {c: 2.0 ** (bits - ngram.bits(before + c)) for c in {*text, "z"}}
        unseen = probabilities.pop("z") * (baselines.CHARACTERS - len(probabilities))
        assert 0.97 < sum(probabilities.values()) + unseen <= 1 + 1e-6


def test_rivals_pay_less_for_what_they_have_read() -> None:
    known, unknown = "今天天氣真好，我們去公園。" * 5, "量子色動力學描述膠子交互作用。" * 5
    assert baselines.ngram_bits(known * 20, known) < baselines.ngram_bits(known * 20, unknown) / 4
    assert baselines.ppmd_bits(known * 20, known) < baselines.ppmd_bits(known * 20, unknown)


def test_a_text_that_nobody_has_read_still_has_a_price() -> None:
    for training_text in ("", "a", "ab"):
        assert np.isfinite(baselines.ngram_bits(training_text, "今天\n\n"))


def test_windows_cost_what_a_single_pass_costs(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    documents = ["今天天氣真好", "他們去公園"]
    ids = [0]
    for document in documents:
        ids += [*tokenizer.encode(document).ids, 0]
    assert len(ids) < 32
    with torch.inference_mode():
        log_probabilities = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0, :-1], dim=-1)
    bits = -float(log_probabilities.gather(-1, torch.tensor(ids[1:])[:, None]).sum()) / float(np.log(2))
    assert bits_per_character.model_bits(model, tokenizer, documents, 64) == pytest.approx(bits, rel=1e-4)
    assert bits_per_character.model_bits(model, tokenizer, documents * 9, 32) == pytest.approx(9 * bits, rel=0.2)


def test_rivals_learn_from_what_the_model_learned_from(work: Path, tokenizer: Tokenizer) -> None:
    learned = bits_per_character.training_text(work, tokenizer, "weather", 10**6).split("\n\n")[:-1]
    held = bits_per_character.held_out(work, 10**6)["weather"]
    assert set(learned) | set(held) == {*SENTENCES, *(f"第{i}天。" for i in range(300))}
    assert not set(learned) & set(held)
    assert len(bits_per_character.training_text(work, tokenizer, "weather", 400).encode()) < 1000


def test_probability_on_accepted_ones_is_over_the_whole_vocabulary(
    model: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    anything = tuple({tokenizer.decode([i]) for i in range(tokenizer.get_vocab_size())} - {""})
    prompt = prompt_suite.Prompt("今天天氣真", anything, "weather", "zh")
    verdict = prompt_suite.judge(model, tokenizer, [prompt])[0]
    assert verdict.mass == pytest.approx(1, abs=0.05)
    assert verdict.is_hit
    nothing = prompt_suite.judge(model, tokenizer, [prompt_suite.Prompt("今天", ("絕無此事",), "weather", "zh")])[0]
    assert nothing.mass < 0.2


@pytest.mark.parametrize(
    ("ids", "expected"),
    [([], None), ([1, 1, 1], (0, 1)), ([3, 1, 2, 1, 2, 1, 2], (1, 2)), ([1, 2, 1, 2, 3], None), ([1, 2], None)],
)
def test_a_loop_is_what_fills_the_end(ids: list[int], expected: tuple[int, int] | None) -> None:
    assert samples.find_loop(ids) == expected


@pytest.mark.slow
def test_everything_is_printed(
    model: LlamaForCausalLM, work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.save_pretrained(tmp_path)
    tokenizers.save(tokenizers.load(work / "tokenizer"), tmp_path)
    assert load(tmp_path).num_parameters() == model.num_parameters()
    arguments = ["evaluate", "--model", str(tmp_path), "--work", str(work), "--characters", "2000", "--threads", "1"]
    assert main([*arguments, "--stories", "1"]) == 0
    printed = capsys.readouterr().out
    sections = ("weather ", "PPMd", "everyday", "held-out", "lessons", "word-edge")
    samples = ("人工智慧是", "從前有一隻", "Once upon a time", "beam 4", "你好 →")
    for expected in (*sections, *samples):
        assert expected in printed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--model", "nowhere"], "run the export command first"),
        (["--characters", "-1"], "cannot be negative"),
        (["--work", "nowhere"], "run the prepare command first"),
    ],
)
def test_what_is_missing_is_named(
    model: LlamaForCausalLM, work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str],
    sentence: str,
) -> None:  # fmt: skip
    model.save_pretrained(tmp_path)
    tokenizers.save(tokenizers.load(work / "tokenizer"), tmp_path)
    capsys.readouterr()
    assert main(["evaluate", "--model", str(tmp_path), "--work", str(work), "--threads", "1", *change]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and sentence in error


def test_a_suite_that_is_none_is_refused(tmp_path: Path) -> None:
    from engine.training.errors import TrainingError

    for text in ("[[prompt]]\ntext = '今天'", "= 3", ""):
        (tmp_path / "suite.toml").write_text(text, "utf-8")
        with pytest.raises(TrainingError, match="not a suite"):
            prompt_suite.read(tmp_path / "suite.toml")


def test_three_tokenizers_are_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "weather.txt").write_text("\n\n".join(SENTENCES), "utf-8")
    arguments = ["tokenizer", str(tmp_path / "texts"), "--work", str(tmp_path), "--size", "300", "--without-own-text"]
    assert main(arguments) == 0
    for folder, size in (("tokenizer", 300), ("tokenizers/characters", 280), ("tokenizers/bytes", 257)):
        saved = tokenizers.load(tmp_path / folder)
        assert saved.decode(saved.encode("今天 ok 𠮷\n").ids) == "今天 ok 𠮷\n"
        assert (saved.get_vocab_size() <= size) if folder != "tokenizers/characters" else saved.get_vocab_size() < 300


def test_prompts_are_looked_for_in_the_own_text(
    model: LlamaForCausalLM, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = [
        prompt_suite.Prompt(text, ("好",), "weather", "zh") for text in ("今天天氣真", "問：好？\n答：", "絕無此事")
    ]
    leaks.report({"seen": prompt_suite.judge(model, tokenizer, prompts)}, "他說今天天氣真好。問：好？ 答：好。")
    assert "seen: 2 of 3 prompts occur word for word" in capsys.readouterr().out


def test_conversations_are_measured_in_the_chat_format(tmp_path: Path) -> None:
    chats = [f"U: 第{i}天天氣好嗎？\nA: 第{i}天很好。" for i in range(60)]
    (tmp_path / "chat-zh.txt").write_text("\n\n".join(chats), "utf-8")
    trained = tokenizers.train_bpe([text.replace("U: ", "") for text in chats], 400)
    prepare([Source("own-chat-zh", tmp_path / "chat-zh.txt")], trained, tmp_path, 500)
    held = bits_per_character.held_out(tmp_path, 300)
    assert list(held) == ["own-chat"] and set(held["own-chat"]) <= set(chats)
    learned = bits_per_character.training_text(tmp_path, trained, "own-chat", 10**6).split("\n\n")[0]
    assert learned.startswith("<|user|>第") and learned.endswith("天很好。<|end|>")
    assert (
        bits_per_character._written(chats[3], trained, "own-chat")
        == "<|user|>第3天天氣好嗎？<|end|><|assistant|>第3天很好。<|end|>"
    )
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=400, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                         intermediate_size=16, max_position_embeddings=64)  # fmt: skip
    chat_model = LlamaForCausalLM(config).eval()
    ids = [0, *encode([chat_parts(chats[3], trained, "here")], trained)[0].tolist()]
    with torch.inference_mode():
        loss = chat_model(input_ids=torch.tensor([ids]), labels=torch.tensor([ids])).loss
    bits = float(loss) * (len(ids) - 1) / float(np.log(2))
    assert bits_per_character.model_bits(chat_model, trained, [chats[3]], 64, "own-chat") == pytest.approx(
        bits, rel=1e-4
    )


def test_a_torn_log_does_not_keep_a_run_from_going_on(tmp_path: Path) -> None:
    from engine.training.train import _logged_loss

    assert np.isnan(_logged_loss(tmp_path, 1))
    (tmp_path / "loss.jsonl").write_text('{"step": 1, "loss": 2.5, "rate": 1.0}\n{"step": 12, "lo', "utf-8")
    assert _logged_loss(tmp_path, 1) == 2.5
    assert np.isnan(_logged_loss(tmp_path, 12))
