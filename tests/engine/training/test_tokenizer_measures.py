"""Measures of a tokenizer, on tokenizers of which they are known."""

from __future__ import annotations

import pytest

from engine.training import mixture, tokenizer, tokenizer_measures

TEXTS = ["The sky is blue, the sea is blue.", "今天天氣真好。", "the the the The don't a bc2"]


def test_bytes_are_the_least_and_whole_words_count() -> None:
    by_bytes = tokenizer.byte_tokenizer()
    assert tokenizer_measures.characters_a_token(by_bytes, ["今天"]) == pytest.approx(1 / 3)
    assert tokenizer_measures.single_tokens(by_bytes, ["a", "今", " the"]) == 1
    assert tokenizer_measures.frequent_words(TEXTS, 3) == ["the", "blue", "is"]
    trained = tokenizer.train_bpe(TEXTS * 9, 400)
    assert tokenizer_measures.single_tokens(trained, [" the", " blue", "今", "龘"]) == 3


def test_the_report_says_what_is_covered(capsys: pytest.CaptureFixture[str]) -> None:
    held_out = {"spoken-en": ["abc"], "spoken-zh": ["今天"], "empty-zh": []}
    tokenizer_measures.report(tokenizer.byte_tokenizer(), held_out, ["a", "b"])
    printed = capsys.readouterr().out
    assert "0 of 5,401 characters of Big5" in printed and "0 of 2 frequent English words" in printed
    assert [line.split()[-1] for line in printed.splitlines()[1:5]] == ["1.00", "0.33", "1.00", "0.33"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("spoken-en", True), ("own-stories-en-little-grammar", True), ("own-school-zh", False), ("token-zh", False)],
)
def test_english_sources_are_known_by_name(name: str, expected: bool) -> None:
    assert mixture.is_english(name) is expected


def test_english_has_the_share_asked_for_and_a_mixture_without_it_stays() -> None:
    weights = mixture.with_english({"a-en": 1.0, "b-en": 3.0, "c-zh": 2.0}, 0.5)
    assert weights == pytest.approx({"a-en": 0.125, "b-en": 0.375, "c-zh": 0.5})
    assert mixture.with_english({"c-zh": 2.0}, 0.5) == {"c-zh": 2.0}
