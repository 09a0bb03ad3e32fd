"""Text and token ids of prompts and continuations that another tokenizer may have produced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import PromptError

if TYPE_CHECKING:
    from engine.model.model import Model


def prompt_text(model: Model, ids: tuple[int, ...], typed: str = "") -> str:
    """Text of a prompt's ids: `typed` if the model encodes it to exactly these ids, else the decoded ids."""
    try:
        return typed if typed and model.encode(typed) == ids else model.text(ids)
    except PromptError:  # a lone surrogate
        return model.text(ids)


def continuation_ids(model: Model, prompt: str, ids: tuple[int, ...], continuation: str) -> tuple[int, ...]:
    """Token ids of a continuation of the prompt with these `ids`, up to the end of the context window.

    Both are encoded as one text if the prompt's ids stay the same in it, else the continuation is encoded alone.
    Raises PromptError for a lone surrogate.
    """
    together = model.encode(prompt + continuation)
    if together[: len(ids)] == ids:
        following = together[len(ids) :]
    else:
        following = model.encode(continuation)[len(model.vocabulary.start) :]
    return following[: model.context_length - len(ids)]
