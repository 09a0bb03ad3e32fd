"""Encoding and decoding: lossless round trip, and no special tokens from typed text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

import engine
from engine.tokenization.vocabulary import Vocabulary
from tests import tiny
from tests.engine.conftest import Tiny

SPELLED = [tiny.END, "[CLS]", "[SEP]", "[UNK]", "[MASK]", "<s>", "</s>", "<unk>", "<0xE6>"]
HARD = [
    "今天天氣真",
    "龘𠮷",
    "👩‍👩‍👧🇹🇼👍🏽",
    "שלום مرحبا",
    "a\0b\r\n\t",
    "\ufffd",
    "\ufeff\u202e",
    "e\u0301\u0300",
    "<b>*hi*</b>",
]
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.sampled_from(HARD + SPELLED + list(" 今天氣the")), max_size=8).map("".join),
)


@given(texts)
@example("")
def test_byte_level_text_comes_back_as_it_was(byte_level: Vocabulary, text: str) -> None:
    assert byte_level.text(byte_level.encode(text)) == text


@given(texts)
@example(" ")
def test_sentencepiece_text_comes_back_as_it_was(sentencepiece: Vocabulary, text: str) -> None:
    text = text.replace("▁", "_")  # this character is a space there
    assert sentencepiece.text(sentencepiece.encode(text)) == text


@pytest.mark.parametrize("text", ["今天天氣真好，我們去公園散步。", "the cat", "今天 the cat 好", ""])
def test_wordpiece_text_comes_back_without_the_spaces_around_characters(wordpiece: Vocabulary, text: str) -> None:
    want = {"今天 the cat 好": "今天the cat好"}.get(text, text)
    assert wordpiece.text(wordpiece.encode(text)) == want


@given(texts)
def test_no_special_token_comes_of_what_is_typed(vocabulary: Vocabulary, text: str) -> None:
    ids = vocabulary.encode(text)
    assert ids[: len(vocabulary.start)] == vocabulary.start
    unknown = {i for i in vocabulary.special if vocabulary.token_bytes(i) in (b"[UNK]", b"<unk>")}
    assert not set(ids[len(vocabulary.start) :]) & (vocabulary.special - unknown)


@pytest.mark.parametrize("name", SPELLED)
def test_text_that_spells_a_special_token_is_text(byte_level: Vocabulary, name: str) -> None:
    assert "".join(byte_level.pieces(byte_level.encode(name))) == name


def test_the_start_mark_stands_before_and_no_end_mark_behind(vocabulary: Vocabulary) -> None:
    names = vocabulary.pieces(vocabulary.encode("the cat"))
    marks = [name for name in names if name.startswith("⟨")]
    assert marks in ([], ["⟨CLS⟩"], ["⟨s⟩"]) and names[: len(marks)] == marks


def test_the_same_ids_as_transformers(each: Tiny) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(each.folder)
    for text in ["今天天氣真", "the cat sat", "  a", *HARD[1:]]:
        assert list(each.model.encode(text)) == tokenizer(text)["input_ids"]


@pytest.mark.parametrize(("text", "position"), [("\ud83d", 0), ("天\udc00", 1), ("ab\ud800c", 2)])
def test_half_a_character_is_refused(gpt2: Tiny, text: str, position: int) -> None:
    for refuse in (gpt2.model.encode, gpt2.model.read_prompt):
        with pytest.raises(engine.PromptError) as caught:
            refuse(text)
        assert caught.value.code == "surrogate" and caught.value.values == {"position": position}
