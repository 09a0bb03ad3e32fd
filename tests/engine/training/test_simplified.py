"""Simplified Chinese in the training text: which documents, and that the pre-tokenizer splits both scripts alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from opencc import OpenCC

from engine.training import corpus, pre_tokenizer, simplified
from engine.training.corpus import Source

DOCUMENTS = [f"這個網路軟體第{i}次說：今天天氣真好。" for i in range(1000)]


def test_a_tenth_is_converted_whatever_else_there_is() -> None:
    converted = simplified.convert(DOCUMENTS, 100)
    changed = [i for i, (a, b) in enumerate(zip(DOCUMENTS, converted, strict=True)) if a != b]
    assert 70 < len(changed) < 130
    assert converted[changed[0]] == DOCUMENTS[changed[0]].translate(str.maketrans("這個說氣", "这个说气")).replace(
        "網路軟體", "网络软件"
    )
    assert simplified.convert(DOCUMENTS[::-1], 100) == converted[::-1]
    assert simplified.convert(DOCUMENTS, 0) == DOCUMENTS
    english = [f"The sky is blue, {i}." for i in range(50)]
    assert simplified.convert(english, 1000) == english


def test_the_choice_is_independent_of_the_validation_split(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(DOCUMENTS), "utf-8")
    train, held_out = corpus.read(Source("a", tmp_path / "a.txt"), 300, 500)
    for part in (train, held_out):
        assert 0.4 < sum("这" in document for document in part) / len(part) < 0.6
    assert set(held_out) == set(simplified.convert(corpus.split(DOCUMENTS, 300)[1], 500))


def test_both_scripts_are_split_alike() -> None:
    to_simplified = OpenCC("t2s").convert
    assert set(pre_tokenizer.ALL_SINGLES) == {*pre_tokenizer.SINGLES, *to_simplified(pre_tokenizer.SINGLES)}
    assert set(pre_tokenizer.ALL_WORDS) == {*pre_tokenizer.WORDS, *map(to_simplified, pre_tokenizer.WORDS)}


@pytest.mark.parametrize(
    "words", [["可以", "可", "不可以"], ["以後", "以", "後來", "後"], [*"一二三四五六七八九十" * 9, "三角"]]
)
def test_grouping_words_by_their_first_character_changes_nothing(words: list[str]) -> None:
    import re

    pattern = pre_tokenizer._any_of(words, group=2)
    text = "不可以可以一二三角九十以後後來"
    assert re.findall(f"(?:{pattern})", text) == re.findall("|".join(words), text)
