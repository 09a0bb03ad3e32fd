"""Tokenized text: the characters and bytes of each token, and the tokens per character."""

from __future__ import annotations

import pytest
from hypothesis import given

from engine.errors import PromptError
from engine.tokenization.tokenized_text import standalone_tokenizer, tokenize
from engine.tokenization.vocabulary import Vocabulary
from tests.engine.tokenization.test_encode import HARD, texts

NAMES = ("bundled", "characters", "bytes")


@pytest.mark.parametrize("name", NAMES)
@given(text=texts)
def test_parts_are_the_bytes_of_the_text(name: str, text: str) -> None:
    """The parts of all tokens together are the text: each byte of each character once and in order."""
    vocabulary = standalone_tokenizer(name)
    result = tokenize(vocabulary, text)
    assert len(result.token_ids) == len(result.parts) == len(result.spans)
    char_bytes = [(part.char, b) for parts in result.parts for part in parts for b in range(part.first, part.last + 1)]
    assert char_bytes == [(char, b + 1) for char in text for b in range(len(char.encode()))]
    for parts, (start, stop) in zip(result.parts, result.spans, strict=True):
        assert [part.char for part in parts] == list(text[start:stop])
        assert all(part.size == len((part.char or "").encode()) for part in parts)


@given(text=texts)
def test_tokens_are_shared_out_among_characters(vocabulary: Vocabulary, text: str) -> None:
    result = tokenize(vocabulary, text)
    with_text = sum(stop > start for start, stop in result.spans)
    cost = sum(result.per_character(script)[1] for script in ("han", "latin"))
    assert cost <= with_text + 1e-9


def test_what_a_character_costs() -> None:
    text = "今天好 abc"
    assert tokenize(standalone_tokenizer("bytes"), text).per_character("han") == (3, 9)
    assert tokenize(standalone_tokenizer("bytes"), text).per_character("latin") == (3, 3)
    assert tokenize(standalone_tokenizer("characters"), text).per_character("han") == (3, 3)
    han, cost = tokenize(standalone_tokenizer("bundled"), text).per_character("han")
    assert (han, cost) == (3, 2)
    assert tokenize(standalone_tokenizer("bytes"), "12 。").per_character("han") == (0, 0)


def test_marks_that_nobody_typed_hold_nothing(sentencepiece: Vocabulary) -> None:
    result = tokenize(sentencepiece, "天")
    assert result.spans[0] == (0, 0) and result.parts[0] == ()


@pytest.mark.parametrize("text", HARD)
def test_every_kind_of_tokenizer_can_be_asked(vocabulary: Vocabulary, text: str) -> None:
    result = tokenize(vocabulary, text)
    assert len(result.token_ids) == len(result.parts) == len(result.spans)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(PromptError) as caught:
        tokenize(standalone_tokenizer("bytes"), "天\ud83d")
    assert caught.value.code == "surrogate"
