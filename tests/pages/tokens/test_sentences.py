"""Sentences of the tokens page for any text and tokenizer: they agree with the text, the chips and the counts."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.model.model import Model
from engine.tokenization.tokenized_text import standalone_tokenizer, tokenize
from engine.tokenization.vocabulary import Vocabulary
from pages.i18n.translator import LANGUAGES, Translator
from pages.tokens import explanation, token_details, tokenizer_comparison
from pages.tokens.tokenizer_comparison import Tokenizer
from tests import tiny
from tests.engine.tokenization.test_encode import texts
from tests.pages.sentences import assert_well_formed, number, which

T = {language: Translator(language) for language in LANGUAGES}
languages = st.sampled_from(list(T))
VOCABULARIES = {
    "wordpiece": Vocabulary(tiny.wordpiece(), tiny.wordpiece().get_vocab_size()),
    "sentencepiece": Vocabulary(tiny.sentencepiece(), tiny.sentencepiece().get_vocab_size()),
    "byte_level": Vocabulary(tiny.byte_level(), tiny.byte_level().get_vocab_size()),
    **{name: standalone_tokenizer(name) for name in ("bundled", "characters", "bytes")},
}
vocabularies = st.sampled_from(list(VOCABULARIES))


@given(text=texts.filter(bool), name=vocabularies, opened=st.integers(0, 20), language=languages)
@example(text="a", name="bytes", opened=0, language="en")
@example(text=" ", name="wordpiece", opened=0, language="en")
@example(text="龘龘", name="byte_level", opened=1, language="en")
def test_why_it_matters(model: Model, text: str, name: str, opened: int, language: str) -> None:
    vocabulary, t = VOCABULARIES[name], T[language]
    other = Model("other", vocabulary, model.prefix_cache, model.context_length, model.end_ids)
    tokenized = tokenize(vocabulary, text)
    at = opened if opened < len(tokenized.token_ids) else None
    lines = explanation.sentences(other, tokenized, at, t)
    tokens = len(tokenized.token_ids) - len(vocabulary.start)
    _, values = which(lines.pop(0), "cut.why", ("cost",), language)
    assert [number(values[n]) for n in ("tokens", "characters", "bytes")] == [tokens, len(text), len(text.encode())]
    assert_well_formed(t("cut.why.cost", **values))
    if tokens:
        _, values = which(lines.pop(0), "cut.why", ("context",), language)
        assert number(values["most"]) == model.context_length
        assert abs(number(values["fits"]) * tokens / len(text) - model.context_length) <= tokens / len(text)
    if lines:
        line = lines.pop(0)
        template = t("cut.why.letters", token="\0", id="\0", count="\0").split("\0")
        assert line.startswith(template[0]) and line.endswith(template[-1])
        ids = [i for i in tokenized.token_ids if f"#{i}" in line]
        found = [int(n) for n in "".join(c if c.isdigit() else " " for c in line.split(template[1], 1)[1]).split()]
        decoded = [vocabulary.token_bytes(i).decode("utf-8", "ignore") for i in ids]
        assert max(found) >= 2 and any(len(part) in found for part in decoded), "whole characters of that very token"
    assert not lines


@given(text=texts.filter(bool), name=vocabularies, language=languages)
@example(text="x", name="wordpiece", language="en")
def test_counts_and_cards(text: str, name: str, language: str) -> None:
    vocabulary, t = VOCABULARIES[name], T[language]
    tokenized = tokenize(vocabulary, text)
    data = token_details.data(vocabulary, tokenized, None, 0, t)
    for label, value in data["counts"]:
        assert_well_formed(f"{value} {label}")
    for index, (_, _, parts, typed) in enumerate(data["cards"]):
        if not parts:  # a mark that the tokenizer adds, or one for what it does not know
            assert bool(typed) == (index >= len(vocabulary.start))


@given(surplus=st.integers(-2, 3), name=vocabularies, language=languages)
def test_tokens_that_are_not_drawn_are_counted(surplus: int, name: str, language: str) -> None:
    vocabulary, t = VOCABULARIES[name], T[language]
    start = len(vocabulary.start)
    length = tokenizer_comparison.MAX_CHIPS + surplus - start
    tokenized = next(
        found for n in range(length, 3 * length) if len((found := tokenize(vocabulary, "a " * n)).token_ids) >= length
    )
    (row,) = tokenizer_comparison.data([(Tokenizer("own", vocabulary), tokenized)], t)["rows"]
    drawn = sum(len(group["tokens"]) for group in row["groups"])
    left_out = len(tokenized.token_ids) - drawn
    assert bool(row["more"]) == (left_out > 0)
    if left_out:
        assert_well_formed(row["more"])
        name, values = which(row["more"], "cut", ("more", "more_one"), language)
        assert left_out == (1 if name == "more_one" else number(values["count"]))


@pytest.mark.parametrize("language", T)
def test_one_token_more_is_told_in_the_singular(language: str) -> None:
    vocabulary, t = VOCABULARIES["wordpiece"], T[language]
    text = "天" * (tokenizer_comparison.MAX_CHIPS + 1 - len(vocabulary.start))
    tokenized = tokenize(vocabulary, text)
    assert len(tokenized.token_ids) == tokenizer_comparison.MAX_CHIPS + 1 and vocabulary.start
    (row,) = tokenizer_comparison.data([(Tokenizer("own", vocabulary), tokenized)], t)["rows"]
    assert row["more"] == t("cut.more_one")
