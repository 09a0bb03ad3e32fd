"""Chat format of the bundled model: special tokens, chat template, and the reading of chat documents.

A chat document has a message a line, in turns: `S:` (system, optional and first), `U:` (user), `A:` (assistant). A line
without such a mark continues the message above it.

    >>> messages("U: 你好\\nA: 你好！\\n很高興認識你。", "here")
    [('user', '你好'), ('assistant', '你好！\\n很高興認識你。')]
"""

from __future__ import annotations

import re
from itertools import pairwise

from tokenizers import Tokenizer

from engine.training.errors import TrainingError

END_OF_TURN = "<|end|>"
ROLES = {"S": "system", "U": "user", "A": "assistant"}
TOKENS = (*(f"<|{role}|>" for role in ROLES.values()), END_OF_TURN)

# As `parts` writes it: both trim the messages. Rendered with Jinja's `trim_blocks` and `lstrip_blocks`.
TEMPLATE = """\
{%- for message in messages -%}
    {%- if message.role not in ['system', 'user', 'assistant'] -%}
        {{- raise_exception('Roles are system, user and assistant, not ' ~ message.role) -}}
    {%- endif -%}
    {{- '<|' ~ message.role ~ '|>' ~ message.content | trim ~ '<|end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|assistant|>' -}}
{%- endif -%}
"""


def is_chat(source: str) -> bool:
    """Whether the documents of a source, by its name, are conversations: `chat-zh`, `own-chat-en-grammar`."""
    return re.match(r"(own-)?chat(-|$)", source) is not None


def messages(document: str, where: str) -> list[tuple[str, str]]:
    """(role, text) of the messages of a chat document.

    Raises TrainingError, with `where`, for a document that does not alternate or does not end with the assistant.
    """
    found: list[tuple[str, str]] = []
    for line in document.split("\n"):
        mark, colon, text = line.partition(":")
        if colon and mark in ROLES:
            found.append((ROLES[mark], text.strip()))
        elif found:
            role, before = found[-1]
            found[-1] = (role, f"{before}\n{line}".strip())
        else:
            raise TrainingError(f"{where}: a conversation begins with `U:` or `S:`, not {line[:40]!r}.")
    roles = [role for role, _ in found]
    turns = roles[1:] if roles[0] == "system" else roles
    alternates = all(a != b for a, b in pairwise(turns)) and "system" not in turns
    if not turns or turns[0] != "user" or turns[-1] != "assistant" or not alternates:
        raise TrainingError(f"{where}: `U:` and `A:` must alternate, `A:` last, in {document[:60]!r}.")
    if not all(text for _, text in found):
        raise TrainingError(f"{where}: a message is empty in {document[:60]!r}.")
    return found


def token_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """Ids of TOKENS by name. Raises TrainingError for a tokenizer without them."""
    ids = {name: i for name in TOKENS if (i := tokenizer.token_to_id(name)) is not None}
    if len(ids) < len(TOKENS):
        raise TrainingError("The tokenizer of this run has no tokens for conversations: train the tokenizer again.")
    return ids


def plain_text(document: str, where: str) -> str:
    """Messages of a chat document, a line each, without their marks."""
    return "\n".join(text for _, text in messages(document, where))
