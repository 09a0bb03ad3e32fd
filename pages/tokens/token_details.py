"""Text as token chips, with the details of each token: id, bytes, and the characters to which the bytes belong.

`data` makes plain data; the component (`token_details.js`) draws it and reports a click on a chip (`open`: {turn,
token}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.components.text.token_chips import chips
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.tokenization.tokenized_text import TokenizedText
    from engine.tokenization.vocabulary import Vocabulary

MAX_CHIPS = 600  # further tokens are counted but not drawn

_component = register("cut_text", Path(__file__), "token_chips")


def counts(tokenized: TokenizedText) -> dict[str, int]:
    """Number of tokens, without those that the tokenizer adds, and of characters and UTF-8 bytes of the text."""
    tokens = len(tokenized.token_ids) - sum(
        1 for span, parts in zip(tokenized.spans, tokenized.parts, strict=True) if not any(span) and not parts
    )
    return {"tokens": tokens, "characters": len(tokenized.text), "bytes": len(tokenized.text.encode())}


def more_tokens(count: int, t: Translator) -> str:
    """Sentence on the tokens that are not drawn; "" where all are."""
    if count <= 0:
        return ""
    return t("cut.more_one") if count == 1 else t("cut.more", count=f"{count:,}")


def cards(vocabulary: Vocabulary, tokenized: TokenizedText, limit: int) -> list[list[Any]]:
    """Details of the first `limit` tokens: [id, bytes in hex, [[character, code point, first, last, size] …], text].

    The list has a token's characters, or the bytes `first` to `last` (from 1) of their `size` bytes. The character is
    None for a stray byte. A special token has neither bytes nor characters; `text` is what it stands for where that was
    typed and the tokenizer has no token for it, else "".
    """
    from engine.tokenization.unicode import readable, visible

    rows: list[list[Any]] = []
    for token_id, parts, span in zip(tokenized.token_ids[:limit], tokenized.parts, tokenized.spans, strict=False):
        characters = [
            [visible(char) if char else None, f"U+{ord(char):04X}" if char else "", first, last, size]
            for char, first, last, size in parts
        ]
        token_bytes = vocabulary.token_bytes(token_id).hex(" ").upper() if parts else ""
        rows.append([token_id, token_bytes, characters, "" if parts else readable(tokenized.text[slice(*span)])])
    return rows


def data(
    vocabulary: Vocabulary, tokenized: TokenizedText, opened: int | None, turn: int, t: Translator
) -> dict[str, Any]:
    """Data of the component: counts of the whole text, and `chips` and `cards` of its first `MAX_CHIPS` tokens."""
    return {
        "turn": turn,
        "counts": [
            [t(f"cut.{'one' if value == 1 else 'count'}.{name}"), f"{value:,}"]
            for name, value in counts(tokenized).items()
        ],
        "groups": chips(vocabulary, tokenized.token_ids[:MAX_CHIPS]),
        "cards": cards(vocabulary, tokenized, MAX_CHIPS),
        "opened": opened,
    }


def draw(payload: dict[str, Any], t: Translator, on_open: Callable[[int, int], None], key: str = "cut") -> None:
    """Draw the result of `data`. on_open(turn, token index): a chip was clicked."""
    labels = {
        word: t(f"cut.card.{word}") for word in ("hint", "id", "bytes", "whole", "part", "stray", "mark", "unknown")
    }
    labels["text"] = t("access.text")
    on_change = event_callback(key, "open", lambda value: on_open(int(value["turn"]), int(value["token"])))
    _component(key=key, data=payload | {"labels": labels}, on_open_change=on_change)
