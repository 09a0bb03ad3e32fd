"""Prompts that a link offers in place of the examples, and their parameter in the address bar. No Streamlit here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import TraceError
from engine.trace.link_codec import encode_text
from pages.session.query_params import PROMPT_LIST, QueryParams

MAX_PROMPTS = 20
MAX_CHARACTERS = 1_000  # of all together, so that the list fits into the address bar beside the text


@dataclass
class PromptList:
    """The prompts that the visitor's link offers; () where it offers none. They stay for the session."""

    texts: tuple[str, ...] = ()

    def offer(self, texts: Sequence[str]) -> bool:
        """Keep the first prompts up to the limits. Whether these are all."""
        kept: list[str] = []
        for text in texts:
            if len(kept) == MAX_PROMPTS or len(text) + sum(map(len, kept)) > MAX_CHARACTERS:
                break
            kept.append(text)
        self.texts = tuple(kept)
        return len(kept) == len(texts)

    def to_query(self) -> dict[str, str]:
        """URL parameter of the list; empty for none.

        >>> PromptList(("one", "two")).to_query().keys()
        dict_keys(['prompts'])
        """
        try:
            return {PROMPT_LIST: encode_text(json.dumps(self.texts, ensure_ascii=False), "")} if self.texts else {}
        except TraceError:
            return {}


def from_query(params: QueryParams) -> tuple[str, ...]:
    """The prompts that `to_query` wrote; () if there are none or they cannot be read."""
    text = params.decoded(PROMPT_LIST)
    try:
        texts = json.loads(text) if text else []
    except (ValueError, RecursionError):
        texts = None
    if not isinstance(texts, list) or not all(map(_is_prompt, texts)):
        params.unread.add(PROMPT_LIST)
        return ()
    return tuple(dict.fromkeys(texts))


def _is_prompt(text: object) -> bool:
    """Whether a value is a text that is not blank and has no lone surrogate."""
    return isinstance(text, str) and bool(text.strip()) and not re.search("[\ud800-\udfff]", text)
