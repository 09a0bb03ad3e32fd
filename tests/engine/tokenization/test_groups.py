"""Token groups: a character or an emoji split into several tokens appears once."""

from __future__ import annotations

import pytest
from hypothesis import given

from engine.tokenization.unicode import readable
from engine.tokenization.vocabulary import Vocabulary
from tests.engine.tokenization.test_encode import HARD, texts
from tests.engine.tokenization.test_pieces import ids_of, numbers


def covers(groups: list[tuple[int, int, str]], count: int) -> bool:
    """Each token is in exactly one group, in order."""
    return [i for first, stop, _ in groups for i in range(first, stop)] == list(range(count))


@given(numbers)
def test_all_ids_in_order_for_any_ids(vocabulary: Vocabulary, drawn: list[int]) -> None:
    ids = ids_of(vocabulary, drawn)
    groups = vocabulary.groups(ids)
    assert covers(groups, len(ids))
    assert all(text and "\ufffd" not in text for _, _, text in groups)


@given(texts)
def test_together_they_are_the_text(byte_level: Vocabulary, text: str) -> None:
    ids = byte_level.encode(text)
    groups = byte_level.groups(ids)
    assert covers(groups, len(ids))
    assert "".join(piece for _, _, piece in groups) == readable(text)


@pytest.mark.parametrize("cluster", ["今", "𠮷", "👩‍👩‍👧", "🇹🇼", "👍🏽", "é", "ش"])
def test_a_cluster_is_one_group(byte_level: Vocabulary, cluster: str) -> None:
    ids = byte_level.encode(f"a{cluster}b")
    assert byte_level.groups(ids) == [(0, 1, "a"), (1, len(ids) - 1, cluster), (len(ids) - 1, len(ids), "b")]


def test_an_unfinished_character_stands_as_its_bytes(byte_level: Vocabulary) -> None:
    ids = byte_level.encode("a今")[:-1]
    assert byte_level.groups(ids) == [(0, 1, "a"), (1, 2, "‹E4›"), (2, 3, "‹BB›")]


def test_special_tokens_stand_alone(sentencepiece: Vocabulary) -> None:
    ids = (*sentencepiece.encode("天"), 2, *sentencepiece.encode("龘"))
    pieces = [text for _, _, text in sentencepiece.groups(ids)]
    assert pieces == ["⟨s⟩", "␣", "天", "⟨/s⟩", "⟨s⟩", "␣", "龘"]
    assert covers(sentencepiece.groups(ids), len(ids))


@pytest.mark.parametrize("text", HARD)
def test_hard_texts_lose_nothing(vocabulary: Vocabulary, text: str) -> None:
    ids = vocabulary.encode(text)
    assert covers(vocabulary.groups(ids), len(ids))
