"""Byte pair encoding before one's eyes: the smallest parts of a text, joined pair by pair into the model's tokens.

`data` makes plain data of a replay; the component (`merging.js`) steps through it by itself and reports where it rests
(`at`: {turn, count}).
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

_merging = register("merging", Path(__file__), "stepper", "collapsible_table")


def data(vocabulary: Vocabulary, replay: BPEDerivation, at: int, turn: int) -> dict[str, Any]:
    """parts: [sign, word]; merges: [left index, right index, rank, sign of the new token].

    A sign is [what is read, its bytes in hex where these are no whole characters, else ""].
    """
    from engine.tokenization.unicode import Span, characters, describe

    held = [vocabulary.token_bytes(i) for i in replay.parts]
    whole = b"".join(held)
    spans = characters(whole)
    starts = [0]
    for part in held:
        starts.append(starts[-1] + len(part))
    first_span: dict[int, int] = {byte: at for at, span in enumerate(spans) for byte in range(span.start, span.stop)}

    def sign(token_id: int, start: int, stop: int) -> list[str]:
        inside: list[Span] = spans[first_span[start] : first_span[stop - 1] + 1] if stop > start else []
        cut_off = bool(inside) and (inside[0].start < start or inside[-1].stop > stop)
        stray = any(span.char is None for span in inside)
        if token_id in vocabulary.special or not (cut_off or stray):
            return [vocabulary.pieces([token_id])[0], ""]
        return [describe(whole, inside, start, stop), whole[start:stop].hex(" ").upper()]

    ends = {at: starts[at + 1] for at in range(len(held))}  # by the index of a token's first part
    parts = [
        [sign(token_id, starts[at], starts[at + 1]), word]
        for at, (token_id, word) in enumerate(zip(replay.parts, replay.words, strict=True))
    ]
    merges = []
    for merge in replay.merges:
        ends[merge.at] = ends[merge.right_at]
        merges.append([merge.at, merge.right_at, merge.rank, sign(merge.token_id, starts[merge.at], ends[merge.at])])
    return {"turn": turn, "at": at, "parts": parts, "merges": merges}


def draw(shown: dict[str, Any], t: Translator, on_rest: Callable[[int, int], None], key: str = "merging") -> None:
    """What `data` made. `on_rest` is told the turn and how many merges were made."""

    def told(value: dict[str, Any]) -> None:
        on_rest(int(value["turn"]), int(value["count"]))

    words = (
        "next", "back", "play", "pause", "at", "slider", "coming", "done", "none", "list", "rank", "left", "right",
        "made",
    )  # fmt: skip
    labels = {word: t(f"cut.merge.{word}") for word in words}
    _merging(key=key, data=shown | {"labels": labels}, on_at_change=event_callback(key, "at", told))
