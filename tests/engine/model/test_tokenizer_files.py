"""Tokenizers of SentencePiece: a `.model` file without `tokenizer.json`."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
import sentencepiece
from transformers import LlamaConfig

import engine
from engine.model import tokenizer_files
from tests import tiny

TEXTS = ["the cat sat on the mat", "今天天氣真好", "Once  upon", "氣象 123", "龘"]


def refusal(folder: Path) -> str:
    with pytest.raises(engine.ModelError) as caught:
        engine.load(folder)
    return caught.value.code


@pytest.fixture(scope="module", params=["bpe", "unigram"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama with `tokenizer.model` alone."""
    folder, model = tmp_path_factory.mktemp("sentencepiece"), io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(tiny.TEXTS), model_writer=model, vocab_size=340, model_type=request.param,
        byte_fallback=True, character_coverage=1.0, normalization_rule_name="identity",
        remove_extra_whitespaces=False, minloglevel=2, num_threads=1, hard_vocab_limit=False,
    )  # fmt: skip
    config = LlamaConfig(vocab_size=340, **{**tiny.SHAPE, "bos_token_id": 1})
    tiny.save(folder, tiny.sentencepiece(), config, "</s>")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    return folder


def test_its_tokens_are_those_of_sentencepiece(folder: Path) -> None:
    reference = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    model = engine.load(folder)
    for text in TEXTS:
        ids = model.encode(text)
        assert list(ids) == [reference.bos_id(), *reference.encode(text)]
        assert model.text(ids) == text
    assert model.pieces(sorted(model.end_ids)) == ["⟨/s⟩"]


@pytest.mark.parametrize("named", ["LlamaTokenizer", "LlamaTokenizerFast"])
def test_with_a_class_that_is_named(folder: Path, named: str, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "named")
    config = {"tokenizer_class": named, "add_bos_token": True}
    (tmp_path / "named" / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    reference = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    model = engine.load(tmp_path / "named")
    assert [list(model.encode(text)) for text in TEXTS] == [[1, *reference.encode(text)] for text in TEXTS]


def test_a_class_that_cuts_otherwise_is_not_used(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "named")
    (tmp_path / "named" / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}', "utf-8")
    assert refusal(tmp_path / "named") == "no_tokenizer"


def test_a_file_that_is_none(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "broken")
    for data in (b"", b"none", (folder / "tokenizer.model").read_bytes()[:500]):
        (tmp_path / "broken" / "tokenizer.model").write_bytes(data)
        assert refusal(tmp_path / "broken") == "no_tokenizer"


def test_without_the_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer_files, "find_spec", lambda _: None)
    assert refusal(folder) == "sentencepiece"
