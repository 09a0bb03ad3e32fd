"""Exceptions of the engine: `EngineError` and its subclasses, each with a code for the message to display."""

from __future__ import annotations


class EngineError(Exception):
    """Error that the user can fix. `code` selects the message to display, `values` fill its placeholders."""

    def __init__(self, code: str, message: str, **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class PromptError(EngineError):
    """Text that cannot be used as a prompt; codes `empty`, `characters`, `context`, `surrogate`, `token`;
    of the quiz `quiz_empty`, `quiz_unknown`, `quiz_no_text`, `quiz_short`, and of the tokens page `cut_long`.

    Where the host limits the requests of app visitors, also `limit_prompt` and `limit_demo`.
    """


class SettingsError(EngineError):
    """Setting outside its range; `code` is the setting's name."""


class TraceError(EngineError):
    """Trace that cannot be opened; codes `trace`, `trace_size`, `trace_version` (newer), `trace_vocabulary`."""


class ModelError(EngineError):
    """Model that cannot be loaded; `values` has its `name`.

    Codes of its files: `missing` (no such folder or repository), `not_allowed`, `no_safetensors`, `no_tokenizer`,
    `sentencepiece` (a tokenizer that needs this package), `broken`, `not_finite_weights`.
    Of what it is: `not_causal`, `encoder_decoder`, `masked`.
    Of its size: `too_large_memory` and `too_large_disk` (values `needs` and `free`, such as `2.5 GB`).
    Of the hub: `no_revision`, `no_network`, `offline` (`HF_HUB_OFFLINE` is set), `gated` (`id`), `interrupted`,
    `changed` (the repository, during the download); `stopped` by the user.
    Of GGUF: `gguf_packages`, `endpoint_packages` (not installed), `gguf` (unknown architecture or file),
    `gguf_several` (`files`).
    """


def stopped_error(name: str) -> ModelError:
    """The error of a load that the user has stopped."""
    return ModelError("stopped", f"loading {name} was stopped", name=name)


def nothing_left_error() -> EngineError:
    """The error of filters or penalties that remove every token of the vocabulary."""
    return EngineError("nothing_left", "the filters remove every token of the vocabulary")


def not_finite_error(what: str) -> EngineError:
    """The error of numbers that are NaN or infinite, from which nothing may be drawn or chosen; `what` names them."""
    return EngineError("not_finite", f"{what} are not finite")


def surrogate_error(error: UnicodeEncodeError) -> PromptError:
    """The error of a text with a lone surrogate, which UTF-8 cannot encode."""
    return PromptError("surrogate", f"lone surrogate at {error.start}", position=error.start)


def context_error(count: int, most: int) -> PromptError:
    """The error of a sequence of `count` tokens that does not fit a context window of `most`."""
    return PromptError("context", f"{count} tokens do not fit {most}", count=count, most=most)
