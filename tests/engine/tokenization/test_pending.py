"""Pending tokens: a candidate after an incomplete character is labelled as the rest of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tokenization.vocabulary import Vocabulary
from tests.engine.conftest import Tiny
from tests.engine.tokenization.test_pieces import ids_of, numbers


@pytest.mark.parametrize("char", ["今", "明", "龘", "𠮷", "é", "👩"])
def test_the_last_part_completes_the_character(byte_level: Vocabulary, char: str) -> None:
    ids = byte_level.encode(f"the {char}")
    at = len(ids) - 1
    width = len(char.encode())
    assert byte_level.label(ids[at], byte_level.pending(ids[:at])) == f"{char} {width}/{width}"
    assert byte_level.pending(ids) == ()


def test_candidates_after_pending_bytes(gpt2: Tiny) -> None:
    ids = gpt2.model.encode("天今")
    candidate = gpt2.model.distribution(ids[:-1]).candidate(ids[-1])
    assert candidate.text == "今 3/3"
    assert gpt2.model.distribution(ids[:-2]).candidate(ids[-2]).text == "‹BB›"  # does not complete the character
    other = gpt2.model.encode("a")[0]
    assert gpt2.model.distribution(ids[:-1]).candidate(other).text == "a"


def test_byte_fallback_too(sentencepiece: Vocabulary) -> None:
    ids = sentencepiece.encode("今龘")
    assert sentencepiece.label(ids[-1], sentencepiece.pending(ids[:-1])) == "龘 3/3"


def test_nothing_is_pending_after_whole_characters_and_special_tokens(byte_level: Vocabulary) -> None:
    first, second, third = byte_level.encode("今")
    assert byte_level.pending([first, second]) == (first, second)
    assert byte_level.pending([first, second, third]) == ()
    assert byte_level.pending([first, 0]) == ()
    assert byte_level.pending([first, *byte_level.encode("a")]) == ()
    assert byte_level.pending([third, third, third, third, third]) == ()
    assert byte_level.pending([]) == ()


@given(numbers, st.integers(0, 10**6))
def test_a_label_is_what_the_token_would_be_called_in_its_place(
    vocabulary: Vocabulary, drawn: list[int], number: int
) -> None:
    ids, token = ids_of(vocabulary, drawn), number % vocabulary.size
    assert vocabulary.label(token, vocabulary.pending(ids)) == vocabulary.pieces([*ids, token])[-1]
