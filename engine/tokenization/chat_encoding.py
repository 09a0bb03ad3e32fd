"""Token ids of a conversation: special tokens come from the chat template alone, never from what somebody wrote.

A message that spells `<|im_end|>` must not end its turn. So that the two can be told apart in the rendered text, a
mark (a character that occurs nowhere) is put into every message after each character that begins the name of a
special token, and before each one that ends one. Whatever a template then does to a message (strip it, split it, leave
parts out), no name can begin or end in it; a message without such characters is rendered as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from engine.tokenization.chat_template import ChatMessage, ChatTemplate
from engine.tokenization.vocabulary import Vocabulary

THINKING = ("<think>", "</think>")  # around what a model writes before its answer
# Code points that will never be characters, then private ones: a conversation cannot contain them all.
_MARKS = (*range(0xFDD0, 0xFDF0), *range(0xF0000, 0xFFFFE))


class EncodedChat(NamedTuple):
    """A conversation as the model reads it, up to where its reply begins.

    text  the rendered text
    ids   its tokens
    own   for each token, whether it contains text of a message; the others come from the template
    """

    text: str
    ids: tuple[int, ...]
    own: tuple[bool, ...]


def encode_chat(
    vocabulary: Vocabulary, template: ChatTemplate, messages: Sequence[ChatMessage], thinking: bool = True
) -> EncodedChat:
    """Tokens of a conversation by a template; `thinking` as in `ChatTemplate.render`.

    For messages that spell no special token, the ids of `apply_chat_template` in `transformers`. Raises the errors of
    `ChatTemplate.render`, and UnicodeEncodeError for a lone surrogate.
    """
    for message in messages:
        message.content.encode("utf-8")
    names = vocabulary.special_names
    used = set(chain(template.source, *(message.content for message in messages)))
    mark = next(char for char in map(chr, _MARKS) if char not in used)
    marked = [
        message._replace(content=_with_marks(message.content, names, mark, _kept(message, names)))
        for message in messages
    ]
    rendered = template.render(marked, thinking)
    text = rendered.replace(mark, "")
    pieces = list(_pieces(rendered, names, mark))
    ids, spans = vocabulary.encode_markup(text)
    specials = [names[piece][0] for special, piece in pieces if special]
    if _spelled(vocabulary, text, ids, spans) != specials:  # a message spells one, or its neighbours do together
        ids, spans = _encode_pieces(vocabulary, pieces)
    places = list(_places(text, messages))
    own = [any(start < last and first < stop for first, last in places) for start, stop in spans]
    return EncodedChat(text, tuple(ids), tuple(own))


def _kept(message: ChatMessage, names: Collection[str]) -> tuple[str, ...]:
    """Spellings that a template looks for in messages: where they are special tokens, in the model's own only."""
    return tuple(name for name in THINKING if message.role == "assistant" or name not in names)


def _with_marks(content: str, names: Collection[str], mark: str, kept: tuple[str, ...]) -> str:
    """The content with marks, as described above, outside of the `kept` spellings.

    >>> _with_marks("a<b>", ["<s>"], "·", ())
    'a<·b·>'
    """
    first, last = {_folded(name[0]) for name in names}, {_folded(name[-1]) for name in names}
    parts = re.split("|".join(map(re.escape, kept)), content) if kept else [content]
    separators = re.findall("|".join(map(re.escape, kept)), content) if kept else []
    marked = []
    for part in parts:
        for char in part:
            folded = {_folded(char), _folded(char.upper()), _folded(char.lower())}
            marked.append(mark * bool(folded & last) + char + mark * bool(folded & first))
        marked.append(separators.pop(0) if separators else "")
    return "".join(marked)


def _folded(char: str) -> str:
    """A character without its case: a template may change that."""
    return char.casefold()


def _pieces(rendered: str, names: Collection[str], mark: str) -> Iterator[tuple[bool, str]]:
    """Parts of the rendered text as (is a special token, text without marks); the longest name at each place counts."""
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    parts = re.split(f"({pattern})", rendered) if names else [rendered]
    for index, part in enumerate(parts):
        if part:
            yield index % 2 == 1, part.replace(mark, "")


def _spelled(vocabulary: Vocabulary, text: str, ids: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[int]:
    """The special tokens whose names are in the text; unknown characters become a special token as well."""
    return [
        i for i, (start, stop) in zip(ids, spans, strict=True)
        if i in vocabulary.special and text[start:stop].strip().encode() == vocabulary.token_bytes(i).strip()
    ]  # fmt: skip


def _encode_pieces(
    vocabulary: Vocabulary, pieces: Sequence[tuple[bool, str]]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Ids of pieces, the special ones as one token each and the others as ordinary text, and the characters of each."""
    names = vocabulary.special_names
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    offset, start_tokens = 0, len(vocabulary.start)
    for index, (special, piece) in enumerate(pieces):
        if special:
            ids.append(names[piece][0])
            spans.append((offset, offset + len(piece)))
        else:
            # The neighbours of ordinary text are special, and some take the white space beside them.
            before = index > 0 and names[pieces[index - 1][1]][1].rstrip
            after = index + 1 < len(pieces) and names[pieces[index + 1][1]][1].lstrip
            left = len(piece) - len(piece.lstrip()) if before else 0
            text = piece[left:].rstrip() if after else piece[left:]
            ids += vocabulary.encode(text)[start_tokens:]
            spans += [(offset + left + a, offset + left + b) for a, b in vocabulary.spans(text)[start_tokens:]]
        offset += len(piece)
    return ids, spans


def _places(text: str, messages: Sequence[ChatMessage]) -> Iterator[tuple[int, int]]:
    """Characters [start, stop) of the messages in the text, in their order; one that the template changes has none."""
    position = 0
    for message in messages:
        content = message.content.strip()
        found = text.find(content, position) if content else -1
        if found >= 0:
            position = found + len(content)
            yield found, position
