"""Completion of phrases cut inside a word, compared with greedy decoding by transformers' own `generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from engine.bundled import BUNDLED
from engine.training import tokenizer as tokenizers
from engine.training import word_edges
from engine.training.__main__ import SUITE
from engine.training.errors import TrainingError
from engine.training.evaluate import load
from engine.training.word_edges import Phrase

PHRASES = SUITE / "word-edges" / "word-edge.toml"
LEARNED = ["今天去公園散步。", "今天去公司上班。", "池塘裡有蝌蚪。", "a red butterfly"]


@pytest.fixture(scope="module")
def learned() -> tuple[PreTrainedModel, Tokenizer]:
    """A model that knows LEARNED by heart, with a tokenizer that writes 蝌蚪 and all of 池塘 as single bytes."""
    torch.manual_seed(0)
    trained = tokenizers.train_bpe([LEARNED[0], LEARNED[1], LEARNED[3]] * 9, 330)
    config = LlamaConfig(
        vocab_size=trained.get_vocab_size() + 3, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, bos_token_id=None, eos_token_id=0,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    rows = [torch.tensor([[*trained.encode(text).ids, 0]]) for text in LEARNED]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        torch.stack([model(input_ids=row, labels=row).loss for row in rows]).mean().backward()
        optimizer.step()
    return model.eval(), trained


def by_generate(model: Any, tokenizer: Tokenizer, ids: list[int], tokens: list[int], rest: str) -> list[bool]:
    """For each first token: whether the text that `generate` writes from it begins with `rest`."""
    starts = torch.tensor([[*ids, token] for token in tokens])
    written = model.generate(
        starts, attention_mask=torch.ones_like(starts), max_new_tokens=len(rest.encode()), do_sample=False,
        pad_token_id=0,
    )  # fmt: skip
    size = tokenizer.get_vocab_size()
    texts = []
    for row in written[:, len(ids) :].tolist():
        known = next((at for at, token in enumerate(row) if token >= size), len(row))  # ids that mean nothing
        texts.append(tokenizer.decode(row[:known], skip_special_tokens=False))
    return [text.startswith(rest) for text in texts]


def probabilities(model: PreTrainedModel, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return torch.softmax(model(input_ids=torch.tensor([ids])).logits[0, -1], dim=-1)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.sampled_from(LEARNED).flatmap(lambda t: st.tuples(st.just(t), st.integers(1, len(t) - 1), st.integers(1, 4))),
    st.sampled_from(["", "", "", "班", "x", "<eos>"]),
)
def test_every_token_of_the_vocabulary_is_judged_as_generate_writes(
    learned: tuple[PreTrainedModel, Tokenizer], cut: tuple[str, int, int], addition: str
) -> None:
    model, tokenizer = learned
    sentence, at, length = cut
    text, rest = sentence[:at], sentence[at : at + length] + addition
    if addition == "<eos>":
        rest = "<eos>"  # the characters, not the special token
    verdict = word_edges.judge(model, tokenizer, [Phrase(text, rest, "", "")])[0]
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    chances = probabilities(model, ids)
    expected = torch.tensor(by_generate(model, tokenizer, ids, list(range(len(chances))), rest))
    if addition == "<eos>":
        expected[0] = False  # the special token decodes to its name
    assert verdict.mass == pytest.approx(float(chances[expected].sum()), abs=1e-5)
    best = chances.topk(5)
    assert [p for _, p, _ in verdict.top] == pytest.approx(best.values.tolist(), abs=1e-5)
    assert [good for _, _, good in verdict.top] == expected[best.indices].tolist()
    assert verdict.is_hit == bool(expected[best.indices].any())
    assert verdict.is_first == bool(expected[best.indices[0]])


def test_a_character_written_as_bytes_counts_when_all_its_bytes_follow(
    learned: tuple[PreTrainedModel, Tokenizer],
) -> None:
    model, tokenizer = learned
    assert len(tokenizer.encode("蚪", add_special_tokens=False).ids) == 3
    right, wrong = word_edges.judge(
        model, tokenizer, [Phrase("池塘裡有蝌", "蚪", "", "zh"), Phrase("池塘裡有蝌", "蚫", "", "zh")]
    )
    assert "蚪".encode()[:2] == "蚫".encode()[:2]  # the first token is the same
    assert right.is_first and right.mass > 0.9
    assert not wrong.is_hit and wrong.mass < 0.1


def test_of_words_that_begin_alike_only_the_one_that_greedy_decoding_writes_counts(
    learned: tuple[PreTrainedModel, Tokenizer],
) -> None:
    model, tokenizer = learned
    park, company = word_edges.judge(
        model, tokenizer, [Phrase("今天去", "公園散", "", "zh"), Phrase("今天去", "公司上", "", "zh")]
    )
    assert park.is_first != company.is_first


@pytest.mark.slow
def test_the_bundled_model_is_judged_as_generate_writes() -> None:
    model, tokenizer = load(BUNDLED), tokenizers.load(BUNDLED)
    phrases = word_edges.read(PHRASES)[::10]
    verdicts = word_edges.judge(model, tokenizer, phrases)
    assert any(v.is_hit for v in verdicts)
    for phrase, verdict in zip(phrases, verdicts, strict=True):
        ids = tokenizer.encode(phrase.text, add_special_tokens=False).ids
        best = probabilities(model, ids).topk(5).indices.tolist()
        assert [good for _, _, good in verdict.top] == by_generate(model, tokenizer, ids, best, phrase.rest)
        assert sum(p for _, p, good in verdict.top if good) <= verdict.mass + 1e-6


def test_the_report_names_what_is_missed(
    learned: tuple[PreTrainedModel, Tokenizer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phrases = [("池塘裡有蝌", "蚪", "zh"), ("今天去公園", "散步", "zh"), ("a red butter", "cup", "en")]
    lines = [f"[[phrase]]\ntext = '{t}'\nrest = '{r}'\ntheme = '{g}-words'\nlanguage = '{g}'\n" for t, r, g in phrases]
    (tmp_path / "cut.toml").write_text("".join(lines), "utf-8")
    word_edges.report(*learned, tmp_path / "cut.toml")
    printed = capsys.readouterr().out.splitlines()
    figures = {line.split()[0]: line.split()[1:4] for line in printed[1:-2]}
    assert figures["cut"] == ["3", "66.7", "%"]
    assert figures["zh"] == figures["zh-words"] == ["2", "100.0", "%"]
    assert figures["en"] == figures["en-words"] == ["1", "0.0", "%"]
    assert printed[-2].startswith("cut: none") and printed[-1].startswith("  'a red butter' 'cup': ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[phrase]]\ntext = '今'\nrest = '天'", "not a list"),
        ("= 3", "not a list"),
        ("", "not a list"),
        ("[[phrase]]\ntext = '今'\nrest = ''\ntheme = ''\nlanguage = 'zh'", "without rest"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "cut.toml").write_text(text, "utf-8")
    with pytest.raises(TrainingError, match=sentence):
        word_edges.read(tmp_path / "cut.toml")
    with pytest.raises(TrainingError, match="not a list"):
        word_edges.read(tmp_path / "nowhere.toml")
