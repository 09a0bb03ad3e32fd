"""The small immutable values that the engine takes and gives: settings, candidates, steps, errors.

They hold numbers and text only, no tensors, and know nothing of the screen.
"""

from __future__ import annotations


class EngineError(Exception):
    """Something a person can mend. `code` names the sentence to show, `values` fill it in."""

    def __init__(self, code: str, message: str, **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class PromptError(EngineError):
    """The text cannot be a prompt: `empty`, `characters`, `context`, `surrogate`, `token`.

    Where the host limits what visitors of the app may ask for, `limit_prompt` and `limit_demo` too.
    """


class SettingsError(EngineError):
    """A setting is out of its range; `code` is the setting's name."""


class TraceError(EngineError):
    """Not a trace that can be opened: `trace`, `trace_size`, `trace_version` (a later one), `trace_vocabulary`."""


class ModelError(EngineError):
    """A model cannot be loaded: `missing`, `not_allowed`, `no_safetensors`, `no_tokenizer`, `not_causal`, `broken`."""
