"""Prompts offered as buttons: those of the visitor's link, else the examples."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import streamlit as st

from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.prompt_list import PromptList
from pages.shell import example_language

_LABEL_CHARACTERS = 24
_MOST_CHARACTERS = 60  # of all labels, about two lines; more are scrolled
_HEIGHT = 80  # pixels: the second line is cut, which shows that there is more


class Offered(NamedTuple):
    """A prompt and the label of its button, which is Markdown."""

    label: str
    text: str


def offered(t: Translator) -> list[Offered]:
    """The prompts in their order."""
    own = session_state.get(PromptList).texts
    return [Offered(_label(text), text) for text in own] or [
        Offered(text, text) for text in example_language.for_examples(t).list("step.examples.list")
    ]


def are_from_a_link() -> bool:
    """Whether the prompts are those of the visitor's link."""
    return bool(session_state.get(PromptList).texts)


def note(t: Translator) -> str:
    """Sentence about the offered prompts, see `example_language.note`; those of a link are the visitor's."""
    return "" if are_from_a_link() else example_language.note(t)


def box(prompts: Sequence[Offered]) -> AbstractContextManager[Any]:
    """The place for their buttons: one that scrolls where a link offers so many that they would fill the screen."""
    long = are_from_a_link() and sum(len(label) for label, _ in prompts) > _MOST_CHARACTERS
    return st.container(height=_HEIGHT, border=False) if long else nullcontext()


def _label(text: str) -> str:
    """A text of a visitor, shortened and escaped."""
    return plain(text if len(text) <= _LABEL_CHARACTERS else f"{text[: _LABEL_CHARACTERS - 1]}…")
