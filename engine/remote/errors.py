"""Errors of endpoints. No text of a server is part of them: it may quote a prompt or a key."""

from __future__ import annotations

from engine.errors import ModelError


class RemoteError(ModelError):
    """A server that cannot be used, now or at all; `values` has the `name` of its endpoint.

    Codes: `remote_unreachable`, `remote_slow` (`seconds`), `remote_key` (it refuses the key), `remote_model` (it does
    not know the model), `remote_busy`, `remote_status` (`status`, any other refusal), `remote_redirect`,
    `remote_large` (an answer), `remote_garbage` (an answer that cannot be understood), `remote_changed` (another
    vocabulary than at the beginning).
    Of a reply in a chat: `remote_broken` (it ends in the middle), `remote_filter` (a content filter refuses the
    conversation), `remote_long` (the conversation is too long for the model).
    Of what it can do: `remote_no_logprobs`, `remote_no_tokens` (it takes no token ids, and no tokenizer is configured),
    `remote_tokenizer` (the configured one is another), `remote_chat_only` (it continues no given text).
    """
