"""Prompt validation: invalid prompts are rejected with an error code."""

from __future__ import annotations

import pytest

import engine
from engine.model.model import MAX_CHARACTERS
from tests import tiny
from tests.engine.conftest import Tiny


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \n\t\u3000", "empty"),
        ("a" * 100_000, "characters"),
        ("a" * (MAX_CHARACTERS + 1), "characters"),
        ("今" * tiny.CONTEXT, "context"),
        ("abc\ud800", "surrogate"),
    ],
)
def test_refused(gpt2: Tiny, text: str, code: str) -> None:
    with pytest.raises(engine.PromptError) as caught:
        gpt2.model.read_prompt(text)
    assert caught.value.code == code


def test_the_error_says_how_much_and_how_much_at_most(gpt2: Tiny) -> None:
    with pytest.raises(engine.PromptError) as caught:
        gpt2.model.read_prompt("今" * tiny.CONTEXT)
    assert caught.value.values == {"count": 3 * tiny.CONTEXT, "most": tiny.CONTEXT}
    with pytest.raises(engine.PromptError) as caught:
        gpt2.model.read_prompt("a" * 100_000)
    assert caught.value.values == {"count": 100_000, "most": MAX_CHARACTERS}


def test_a_prompt_must_leave_room_for_one_token(gpt2: Tiny) -> None:
    assert len(gpt2.model.read_prompt("x" * (tiny.CONTEXT - 1))) == tiny.CONTEXT - 1
    with pytest.raises(engine.PromptError):
        gpt2.model.read_prompt("x" * tiny.CONTEXT)


@pytest.mark.parametrize(
    "text", ["a\0b", "👩‍👩‍👧", "שלום", "مرحبا", "<b>x</b>", "**x**", tiny.END, "\u202eabc", "\ufffd"]
)
def test_odd_texts_are_texts(each: Tiny, text: str) -> None:
    ids = each.model.read_prompt(text)
    assert len(each.model.pieces(ids)) == len(ids)
    assert each.model.text(ids) == text
    assert len(list(engine.generate(each.model, ids, max_new_tokens=2))) >= 1


@pytest.mark.parametrize(
    ("ids", "code"), [((), "empty"), ((10**6,), "token"), ((-1,), "token"), ((5,) * (tiny.CONTEXT + 1), "context")]
)
def test_ids_that_are_no_text(gpt2: Tiny, ids: tuple[int, ...], code: str) -> None:
    for method in (gpt2.model.records, gpt2.model.distribution, gpt2.model.score, gpt2.model.attention):
        with pytest.raises(engine.PromptError) as caught:
            method(ids)
        assert caught.value.code == code


def test_a_full_window_can_be_looked_at(each: Tiny) -> None:
    ids = (5,) * min(tiny.CONTEXT, each.model.context_length)
    assert len(each.model.score(ids).ranks) == len(ids)
