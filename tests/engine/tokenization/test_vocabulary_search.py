"""Vocabulary search by the text or the id of a token."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.tokenization.token_search import TokenSearch
from engine.tokenization.vocabulary import Vocabulary


def test_the_exact_one_first_then_the_shortest(byte_level: Vocabulary) -> None:
    results = [byte_level.token_bytes(i).decode() for i in byte_level.search("t", 100)]
    assert results[:2] == ["t", "T"]
    near = [text for text in results if text.strip().lower() == "t"]
    assert results[: len(near)] == near and " the" in results
    lengths = [len(text) for text in results[len(near) :]]
    assert lengths == sorted(lengths) and len(lengths) > 3


def test_case_does_not_matter(byte_level: Vocabulary) -> None:
    assert byte_level.search("THE") == byte_level.search("the") != []


def test_by_number(byte_level: Vocabulary) -> None:
    assert byte_level.search("#7") == [7] and byte_level.search(" #0 ") == [0]
    assert byte_level.search(f"#{byte_level.size - 1}") == [byte_level.size - 1]
    assert byte_level.search(f"#{byte_level.size}") == []
    assert byte_level.search("#999999999") == []
    assert byte_level.search("#9999999999") == []


def test_nothing_finds_nothing(vocabulary: Vocabulary) -> None:
    assert vocabulary.search("") == []
    assert vocabulary.search("\ud800") == []
    assert vocabulary.search("不存在的字") == []


@given(st.text(max_size=4), st.integers(1, 5))
def test_whatever_is_typed(vocabulary: Vocabulary, query: str, limit: int) -> None:
    results = vocabulary.search(query, limit)
    assert len(results) <= limit and all(0 <= i < vocabulary.size for i in results)


def test_every_token_of_characters_finds_itself(vocabulary: Vocabulary) -> None:
    for index in range(vocabulary.size):
        try:
            text = vocabulary.token_bytes(index).decode()
        except UnicodeDecodeError:
            continue
        same = [i for i in vocabulary.search(text, 400) if vocabulary.token_bytes(i).decode(errors="replace") == text]
        assert index in same or text.startswith("#"), text


def plain_search(tokens: list[bytes], query: str, limit: int) -> list[int]:
    """The definition, token by token."""
    lower = [t.decode("utf-8", "surrogateescape").casefold().encode("utf-8", "surrogateescape") for t in tokens]
    wanted, exact = query.casefold().encode(), query.encode()
    found = [i for i, data in enumerate(lower) if wanted and wanted in data]
    found.sort(
        key=lambda i: (
            tokens[i] != exact, lower[i] != wanted, lower[i].strip() != wanted.strip(), len(lower[i]), i
        )
    )  # fmt: skip
    return found[:limit]


_PIECES = st.sampled_from(["a", "A", "aa", "b", " ", "\n", "ß", "ss", "天", "氣", "é", "İ"])
_TOKENS = st.lists(st.one_of(st.lists(_PIECES, max_size=4).map(lambda p: "".join(p).encode()), st.binary(max_size=3)))


@given(_TOKENS, st.lists(_PIECES, max_size=3).map("".join), st.integers(1, 9))
def test_the_order_is_that_of_its_definition(tokens: list[bytes], query: str, limit: int) -> None:
    assert TokenSearch(tokens).ids(query, limit) == plain_search(tokens, query, limit)
