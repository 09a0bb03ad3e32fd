"""Usage hooks: what a host checks and charges around a model's work; no-ops until a host installs its own.

The model calls them and does not depend on visitors, limits or logs. The host's implementation is `serving.admission`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

TOKENS_PER_STEP = 64  # a pass over a long text, or over many, counts as one step for every so many tokens


@dataclass(frozen=True)
class Hooks:
    """One function for each of those below."""

    check_prompt: Callable[[str], None] = lambda text: None
    check_length: Callable[[str, int], None] = lambda text, tokens: None
    charge: Callable[[int], None] = lambda steps: None
    before_pass: Callable[[int], None] = lambda tokens: None
    before_request: Callable[[str], None] = lambda endpoint: None
    after_request: Callable[[str, int, int], None] = lambda endpoint, prompt_tokens, new_tokens: None


_hooks = Hooks()


def install(hooks: Hooks) -> None:
    """Replace the hooks of this process."""
    global _hooks
    _hooks = hooks


def check_prompt(text: str) -> None:
    """Called before a prompt is encoded. The host may raise PromptError(`limit_demo`)."""
    _hooks.check_prompt(text)


def check_length(text: str, tokens: int) -> None:
    """Called once the length of a prompt in tokens is known. The host may raise PromptError(`limit_prompt`)."""
    _hooks.check_length(text, tokens)


def charge(steps: int = 1) -> None:
    """Called before an action that needs so many steps of the model. The host may raise EngineError(`limit_steps`)."""
    _hooks.charge(steps)


def before_pass(tokens: int) -> None:
    """Called before every forward pass with the number of tokens it computes, over all texts of the batch.

    The host may raise EngineError(`limit_steps`), or whatever ends the work of a client that has disconnected.
    """
    _hooks.before_pass(tokens)


def before_request(endpoint: str) -> None:
    """Called before every request to the server of an endpoint. The host may raise EngineError(`limit_requests`)."""
    _hooks.before_request(endpoint)


def after_request(endpoint: str, prompt_tokens: int, new_tokens: int) -> None:
    """Called after every answer of an endpoint with the numbers of tokens that it says it took."""
    _hooks.after_request(endpoint, prompt_tokens, new_tokens)
