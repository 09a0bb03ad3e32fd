"""A text as chips, one a token, with what each is made of: its number, its bytes, the characters they belong to.

`rows` and `cards` make plain data; the components draw it (`cut.js`, `cuts.js`). The first reports a click on a chip
(`open`: {turn, token}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.components.token_chips import chips
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.tokenization.tokenized_text import TokenizedText
    from engine.tokenization.vocabulary import Vocabulary

MOST_DRAWN = 600  # chips; what follows is counted, not drawn

_cut = register("cut_text", Path(__file__), "token_chips")


def counts(cut: TokenizedText) -> dict[str, int]:
    """What there is to count: tokens that hold text, characters, bytes of the text."""
    tokens = len(cut.token_ids) - sum(
        1 for span, part in zip(cut.spans, cut.parts, strict=True) if not any(span) and not part
    )
    return {"tokens": tokens, "characters": len(cut.text), "bytes": len(cut.text.encode())}


def cards(vocabulary: Vocabulary, cut: TokenizedText, most: int) -> list[list[Any]]:
    """For each token [id, its bytes in hex, [[character, code point, first, last, size] …]].

    A part of no whole character has no character; a mark that the tokenizer adds has no parts.
    """
    from engine.tokenization.unicode import visible

    made: list[list[Any]] = []
    for token_id, parts in zip(cut.token_ids[:most], cut.parts, strict=False):
        told = [
            [visible(char) if char else None, f"U+{ord(char):04X}" if char else "", first, last, size]
            for char, first, last, size in parts
        ]
        made.append([token_id, vocabulary.token_bytes(token_id).hex(" ").upper() if parts else "", told])
    return made


def data(vocabulary: Vocabulary, cut: TokenizedText, opened: int | None, turn: int, t: Translator) -> dict[str, Any]:
    """Everything that the chips of one text need."""
    return {
        "turn": turn,
        "counts": [[t(f"cut.count.{name}"), f"{value:,}"] for name, value in counts(cut).items()],
        "groups": chips(vocabulary, cut.token_ids[:MOST_DRAWN]),
        "cards": cards(vocabulary, cut, MOST_DRAWN),
        "opened": opened,
    }


def draw(shown: dict[str, Any], t: Translator, on_open: Callable[[int, int], None], key: str = "cut") -> None:
    """The chips of one text, what `data` made. `on_open` is told the turn and the token's index."""

    def told(value: dict[str, Any]) -> None:
        on_open(int(value["turn"]), int(value["token"]))

    labels = {word: t(f"cut.card.{word}") for word in ("hint", "id", "bytes", "whole", "part", "stray", "mark")}
    labels["text"] = t("access.text")
    _cut(key=key, data=shown | {"labels": labels}, on_open_change=event_callback(key, "open", told))
