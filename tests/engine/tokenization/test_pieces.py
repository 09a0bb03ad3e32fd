"""Readable string of each token: never empty, never a replacement character."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from engine.tokenization.unicode import characters, incomplete, readable, visible
from engine.tokenization.vocabulary import Vocabulary
from tests.engine.tokenization.test_encode import texts

numbers = st.lists(st.integers(0, 10**6), max_size=30)


def ids_of(vocabulary: Vocabulary, drawn: list[int]) -> list[int]:
    return [number % vocabulary.size for number in drawn]


@given(numbers)
def test_one_readable_piece_a_token_for_any_ids(vocabulary: Vocabulary, drawn: list[int]) -> None:
    ids = ids_of(vocabulary, drawn)
    pieces = vocabulary.pieces(ids)
    assert len(pieces) == len(ids)
    for piece in pieces:
        assert piece
        assert "\ufffd" not in piece
        assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in piece)


@given(texts)
@example("\ufffd\u0301")
@example("a\ufffd")
@example("\u0301")
def test_one_readable_piece_a_token_for_any_text(vocabulary: Vocabulary, text: str) -> None:
    ids = vocabulary.encode(text)
    pieces = vocabulary.pieces(ids)
    assert len(pieces) == len(ids) and all(pieces) and "\ufffd" not in "".join(pieces)


def test_every_token_alone(vocabulary: Vocabulary) -> None:
    names = [vocabulary.pieces([i])[0] for i in range(vocabulary.size)]
    assert all(names) and "\ufffd" not in "".join(names)
    assert names[-1] == f"‹#{vocabulary.size - 1}›"  # an id that the tokenizer lacks


def test_parts_of_a_character(byte_level: Vocabulary, sentencepiece: Vocabulary) -> None:
    assert byte_level.pieces(byte_level.encode("氣今")) == ["氣", "今 1/3", "今 2/3", "今 3/3"]
    assert byte_level.pieces(byte_level.encode("明")) == ["明 1–2/3", "明 3/3"]
    assert sentencepiece.pieces(sentencepiece.encode("龘"))[2:] == ["龘 1/3", "龘 2/3", "龘 3/3"]


def test_an_unfinished_character_is_its_bytes(byte_level: Vocabulary) -> None:
    first, second, third = byte_level.encode("今")
    assert byte_level.pieces([first]) == ["‹E4›"]
    assert byte_level.pieces([first, second]) == ["‹E4›", "‹BB›"]
    assert byte_level.pieces([third, first, second]) == ["‹8A›", "‹E4›", "‹BB›"]
    assert byte_level.pieces(byte_level.encode("明")[:1]) == ["‹E6 98›"]


def test_a_special_token_ends_a_character(byte_level: Vocabulary) -> None:
    first, second, third = byte_level.encode("今")
    assert byte_level.pieces([first, second, 0, third]) == ["‹E4›", "‹BB›", "⟨endoftext⟩", "‹8A›"]


def test_marks_for_what_cannot_be_seen(byte_level: Vocabulary) -> None:
    assert byte_level.pieces(byte_level.encode(" \n\t\0")) == ["␣", "↵", "⇥", "␀"]
    assert byte_level.pieces(byte_level.encode(" cat")) == ["␣cat"]
    assert [visible(c) for c in ["\u3000", "\u200d", "\u202e", "\ufffd", "\x7f", "\ufeff", "\u00a0"]] == [
        "‹3000›", "‹200D›", "‹202E›", "‹FFFD›", "␡", "‹FEFF›", "‹00A0›",
    ]  # fmt: skip
    assert readable("é\r\n") == "é␍↵"
    assert readable("\u0301") == "◌\u0301"
    assert readable("\ufffd\u0301") == "‹FFFD›◌\u0301"
    assert readable("👩‍👩‍👧") == "👩‍👩‍👧"


def test_html_and_markdown_are_passed_on_as_they_are(byte_level: Vocabulary) -> None:
    text = "<b>*x*</b>"
    assert "".join(byte_level.pieces(byte_level.encode(text))) == text


def mixed_token(data: bytes) -> Vocabulary:
    """Vocabulary in which token 256 encodes exactly these bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    by_byte = {b: c for c in alphabet for b in [decode_one(c)]}
    token = "".join(by_byte[b] for b in data)
    tokenizer = Tokenizer(models.BPE({**{c: i for i, c in enumerate(alphabet)}, token: 256}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return Vocabulary(tokenizer, 257)


def decode_one(char: str) -> int:
    """Byte of a character in GPT-2's table, implemented a second time independently of the engine."""
    if "!" <= char <= "~" or "¡" <= char <= "¬" or "®" <= char <= "ÿ":
        return ord(char)
    other = [b for b in range(256) if not (0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or b >= 0xAE)]
    return other[ord(char) - 0x100]


@pytest.mark.parametrize(
    ("data", "piece"),
    [
        (b"\xa3\xe7\x9a\x84\xe6", "‹A3›·的·‹E6›"),
        (b"a\x80\x81b\x82", "a·‹80 81›·b·‹82›"),
        (b"\x80\x81", "‹80 81›"),
        (b"\xed\xa0\x80", "‹ED A0 80›"),
        (b"\xc0\xaf", "‹C0 AF›"),
        (b"\xf5\x80\x80\x80", "‹F5 80 80 80›"),
        (b"\xef\xbf\xbd", "‹FFFD›"),
    ],
)
def test_what_a_token_holds_is_named_in_its_order(data: bytes, piece: str) -> None:
    assert mixed_token(data).pieces([256]) == [piece]


def test_a_token_that_ends_one_character_and_begins_another() -> None:
    vocabulary = mixed_token("今的".encode()[2:4])
    byte = {vocabulary.token_bytes(i): i for i in range(256)}
    ids = [byte[b"\xe4"], byte[b"\xbb"], 256, byte[b"\x9a"], byte[b"\x84"]]
    assert vocabulary.pieces(ids) == ["今 1/3", "今 2/3", "今 3/3·的 1/3", "的 2/3", "的 3/3"]
    assert vocabulary.groups(ids) == [(0, 5, "今的")]
    assert vocabulary.text(ids) == "今的"
    assert vocabulary.pending(ids[:3]) == (256,)
    assert vocabulary.label(ids[3], vocabulary.pending(ids[:3])) == "‹9A›"


@given(st.binary(max_size=30))
@example("a氣".encode()[:-1])
def test_characters_cover_the_bytes_and_are_those_that_python_reads(data: bytes) -> None:
    spans = characters(data)
    assert [s.start for s in spans] == [0, *(s.stop for s in spans)][: len(spans)]
    assert (spans[-1].stop if spans else 0) == len(data)
    for span in spans:
        if span.char is None:
            assert span.stop == span.start + 1
        else:
            assert data[span.start : span.stop].decode() == span.char
    assert "".join(s.char or "" for s in spans) == data.decode(errors="ignore")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.integers(0, 3))
def test_incomplete_counts_the_bytes_that_wait(text: str, less: int) -> None:
    data = text.encode()
    cut = data[: len(data) - less]
    expected = next((n for n in range(4) if not _ends_inside(cut[: len(cut) - n])), 0)
    assert incomplete(cut) == expected


def _ends_inside(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


@given(texts)
def test_readable_keeps_what_can_be_seen(text: str) -> None:
    def printable(string: str) -> list[str]:
        return [char for char in string if unicodedata.category(char)[0] in "LNM"]

    assert printable(regex.sub(r"‹[0-9A-F]+›", "", readable(text))) == printable(text)
