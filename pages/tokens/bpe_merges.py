"""BPE merges of a text, step by step: its initial symbols, merged pair by pair into the model's tokens.

`data` converts a `BPEDerivation` to plain data; the component (`bpe_merges.js`) steps through it by itself and reports
the number of merges at which it stopped (`at`: {turn, count}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.tokenization.bpe import BPEDerivation
    from engine.tokenization.vocabulary import Vocabulary

_component = register("merging", Path(__file__), "stepper", "collapsible_table")


def data(vocabulary: Vocabulary, derivation: BPEDerivation, merge_count: int, turn: int) -> dict[str, Any]:
    """Data of the component, initially after `merge_count` merges.

    parts   initial symbols: [sign, index of its word]
    merges  [left index, right index, rank, sign of the new token]

    A sign is [label, bytes in hex], with "" for the bytes where the token consists of whole characters.
    """
    from engine.tokenization.unicode import Span, characters, describe

    part_bytes = [vocabulary.token_bytes(i) for i in derivation.parts]
    text_bytes = b"".join(part_bytes)
    spans = characters(text_bytes)
    starts = [0]  # byte offset of each part, and the end of the text
    for part in part_bytes:
        starts.append(starts[-1] + len(part))
    span_at: dict[int, int] = {byte: i for i, span in enumerate(spans) for byte in range(span.start, span.stop)}

    def sign(token_id: int, start: int, stop: int) -> list[str]:
        inside: list[Span] = spans[span_at[start] : span_at[stop - 1] + 1] if stop > start else []
        incomplete = bool(inside) and (inside[0].start < start or inside[-1].stop > stop)
        invalid = any(span.char is None for span in inside)
        if token_id in vocabulary.special or not (incomplete or invalid):
            return [vocabulary.pieces([token_id])[0], ""]
        return [describe(text_bytes, inside, start, stop), text_bytes[start:stop].hex(" ").upper()]

    ends = {at: starts[at + 1] for at in range(len(part_bytes))}  # byte offset, by index of a token's first part
    parts = [
        [sign(token_id, starts[at], starts[at + 1]), word]
        for at, (token_id, word) in enumerate(zip(derivation.parts, derivation.words, strict=True))
    ]
    merges = []
    for merge in derivation.merges:
        ends[merge.at] = ends[merge.right_at]
        merges.append([merge.at, merge.right_at, merge.rank, sign(merge.token_id, starts[merge.at], ends[merge.at])])
    return {"turn": turn, "at": merge_count, "parts": parts, "merges": merges}


def draw(payload: dict[str, Any], t: Translator, on_stop: Callable[[int, int], None], key: str = "merging") -> None:
    """Draw the result of `data`. on_stop(turn, merge count): the component stopped after that many merges."""
    words = (
        "next", "back", "play", "pause", "at", "slider", "coming", "done", "none", "list", "rank", "left", "right",
        "made",
    )  # fmt: skip
    labels = {word: t(f"cut.merge.{word}") for word in words}
    on_change = event_callback(key, "at", lambda value: on_stop(int(value["turn"]), int(value["count"])))
    _component(key=key, data=payload | {"labels": labels}, on_at_change=on_change)
