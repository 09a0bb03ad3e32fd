"""What a server can do for a model, as found by asking it (`probe.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.remote.answer import Shape

Forced = Literal["ids", "text", "none"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server can do.

    model           name of the model on the server
    route           where it gives log-probabilities: completions, or only chat
    shape           shape of its answers, see `answer.py`
    forced          how the text that it continues is given: by token ids, only by text, or not at all
    ids             whether it names the ids of alternatives
    token_bytes     whether it gives their bytes
    top             most alternatives it gives for a token
    whole           whether these are the whole vocabulary
    vocabulary      number of tokens of the vocabulary; 0 where it does not say
    prompt_scores   whether it scores the tokens of a prompt
    tokenizes       whether it cuts texts on request
    context_length  0 where it does not say
    length          what it calls the most tokens of a reply in a chat
    """

    model: str
    route: Literal["completions", "chat"]
    shape: Shape
    forced: Forced
    ids: bool
    token_bytes: bool
    top: int
    whole: bool = False
    vocabulary: int = 0
    prompt_scores: bool = False
    tokenizes: bool = False
    context_length: int = 0
    length: str = "max_tokens"
