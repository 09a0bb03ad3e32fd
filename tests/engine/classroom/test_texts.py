"""Codes, secrets, and what becomes of a nickname or an answer before anybody sees it."""

from __future__ import annotations

import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.classroom import codes, plain_text, tally
from engine.classroom.plain_text import MAX_NAME, clean, is_unwanted, read_words

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "**bold** [a](b)",
    "\u202egnp.exe",
    "a\u0000b\u0085c\u2066d\ufeff",
    "x" * 10_000,
]


def test_the_examples_in_the_docstrings_hold() -> None:
    assert [doctest.testmod(module).failed for module in (codes, plain_text, tally)] == [0, 0, 0]
    assert sum(doctest.testmod(module).attempted for module in (codes, plain_text, tally)) == 4


def test_codes_are_read_as_they_are_made() -> None:
    made = [codes.new_code() for _ in range(200)]
    assert len(set(made)) > 195 and all(codes.read_code(code.lower()) == code for code in made)
    assert not set("012358BIOSUZ") & set(codes.ALPHABET) and len(set(codes.ALPHABET)) == 24


@given(st.text())
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    code = codes.read_code(typed)
    assert code == "" or (len(code) == 5 and set(code) <= set(codes.ALPHABET))


def test_only_the_secret_itself_matches_its_hash() -> None:
    secret = codes.new_secret()
    assert len(secret) >= 32 and secret not in codes.hash_of(secret)
    assert codes.matches(secret, codes.hash_of(secret))
    for other in ("", secret[:-1], secret + "x", codes.new_secret(), "\udc00", codes.hash_of(secret)):
        assert not codes.matches(other, codes.hash_of(secret))


@given(st.one_of(st.text(alphabet=st.characters(), max_size=60), st.sampled_from(HOSTILE)))
def test_a_clean_text_is_short_in_one_line_and_has_nothing_invisible(text: str) -> None:
    made = clean(text, MAX_NAME)
    assert len(made) <= MAX_NAME and made == made.strip()
    assert not [char for char in made if unicodedata.category(char)[0] == "C" or (char.isspace() and char != " ")]
    assert clean(made, MAX_NAME) == made
    made.encode("utf-8")


def test_readable_text_stays_as_it_is() -> None:
    for text in ("小明", "Zoë & <b>Tom</b>", "e\u0301", "مريم", "한국", "👍🏽", "** _x_ **"):
        assert clean(text, MAX_NAME) == unicodedata.normalize("NFC", text)
    assert clean("a" + "\u0300" * 50 + "b", MAX_NAME) == "\u00e0\u0300\u0300b", "few marks on a letter"


@pytest.mark.parametrize(
    ("text", "own", "unwanted"),
    [
        ("FUCK", (), True), ("f.u.c.k", (), True), ("ＦＵＣＫ", (), True), ("phuck", (), False),
        ("sh1t happens", (), True),
        ("cocktail", (), False), ("Dickens", (), False), ("assess", (), False), ("你這個智障!", (), True),
        ("他媽的", (), True), ("他媽媽的菜", (), False), ("boss", read_words("Boss, 老大\n x "), True),
        ("我們老大來了", read_words("Boss，老大"), True), ("embossed", read_words("boss"), False), ("", (), False),
    ],
)  # fmt: skip
def test_unwanted_words(text: str, own: tuple[str, ...], unwanted: bool) -> None:
    assert is_unwanted(text, own) == unwanted


def test_a_list_of_words_is_bounded() -> None:
    assert read_words("a, B、c\n\n a ;") == ("a", "b", "c") and read_words(" ,\n") == ()
    assert len(read_words("\n".join(map(str, range(10_000))))) == plain_text.MAX_WORDS
