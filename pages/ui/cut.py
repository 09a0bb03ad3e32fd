"""A text as chips, one a token, with what each is made of: its number, its bytes, the characters they belong to.

`rows` and `cards` make plain data; the components draw it (`cut.js`, `cuts.js`). The first reports a click on a chip
(`open`: {turn, token}).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pages.ui import component
from pages.ui.i18n import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.tokenized_text import TokenizedText
    from engine.tokenization.vocabulary import Vocabulary

MOST_DRAWN = 600  # chips; what follows is counted, not drawn
MOST_COMPARED = 160

_cut = component.register("cut_text", "cut", "chips")
_cuts = component.register("cut_texts", "cuts", "chips")


def counts(cut: TokenizedText) -> dict[str, int]:
    """What there is to count: tokens that hold text, characters, bytes of the text."""
    tokens = len(cut.token_ids) - sum(
        1 for span, part in zip(cut.spans, cut.parts, strict=True) if not any(span) and not part
    )
    return {"tokens": tokens, "characters": len(cut.text), "bytes": len(cut.text.encode())}


def chips(vocabulary: Vocabulary, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Groups of tokens that a person reads together, each {whole, tokens: [[index, label, ends a line]]}.

    whole is None where one token holds it all. Under a character that fell into several tokens, these are labelled
    with the part they hold.
    """
    labels = vocabulary.pieces(ids)
    groups = []
    for first, last, whole in vocabulary.groups(ids):
        many = last - first > 1
        tokens = []
        for at in range(first, last):
            label = labels[at].removeprefix(f"{whole} ") if many else labels[at]
            ends_line = vocabulary.token_bytes(ids[at]).endswith(b"\n") and ids[at] not in vocabulary.special
            tokens.append([at, label, ends_line])
        groups.append({"whole": whole if many else None, "tokens": tokens})
    return groups


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


def compared(found: Sequence[tuple[str, Vocabulary, TokenizedText]], t: Translator) -> dict[str, Any]:
    """The same text in several tokenizers, each (its name's key, tokenizer, cut); a row each.

    numbers: tokens, then tokens a character of each script that is in the text.
    """
    from engine.tokenization.tokenized_text import SCRIPTS

    scripts = [script for script in SCRIPTS if found and found[0][2].per_character(script)[0]]
    rows = []
    for name, vocabulary, cut in found:
        total = counts(cut)["tokens"]
        each = [cut.per_character(script) for script in scripts]
        rows.append(
            {
                "name": t(f"cut.tokenizer.{name}"),
                "note": t(f"cut.tokenizer.{name}_note", size=f"{vocabulary.size:,}"),
                "groups": chips(vocabulary, cut.token_ids[:MOST_COMPARED]),
                "more": t("cut.more", count=f"{total - MOST_COMPARED:,}") if total > MOST_COMPARED else "",
                "numbers": [f"{total:,}", *(t.number(cost / count, 2) for count, cost in each)],
            }
        )
    return {"columns": [t("cut.count.tokens"), *(t(f"cut.each.{script}") for script in scripts)], "rows": rows}


def why(model: Model, cut: TokenizedText, opened: int | None, t: Translator) -> list[str]:
    """Why the cutting matters, in sentences about this text: what is paid for, what fits, what cannot be seen."""
    number = counts(cut)
    tokens, characters = number["tokens"], number["characters"]
    lines = [t("cut.why.cost", tokens=f"{tokens:,}", bytes=f"{number['bytes']:,}", characters=f"{characters:,}")]
    fits = round(model.context_length * characters / tokens) if tokens else 0
    lines.append(t("cut.why.context", most=f"{model.context_length:,}", fits=f"{fits:,}"))
    at = opened if opened is not None and len(cut.parts[opened]) > 1 else _longest(cut)
    if at is None:
        return lines
    word = model.pieces(cut.token_ids)[at]
    letters = sum(part.char is not None for part in cut.parts[at])
    return [*lines, t("cut.why.letters", token=word, id=f"#{cut.token_ids[at]}", count=letters)]


def _longest(cut: TokenizedText) -> int | None:
    """The token that holds the most characters, where it holds several."""
    at = max(range(len(cut.parts)), key=lambda i: len(cut.parts[i]), default=None)
    return at if at is not None and len(cut.parts[at]) > 1 else None


def draw(
    shown: dict[str, Any], dark: bool, t: Translator, on_open: Callable[[int, int], None], key: str = "cut"
) -> None:
    """The chips of one text, what `data` made. `on_open` is told the turn and the token's index."""

    def told(value: dict[str, Any]) -> None:
        on_open(int(value["turn"]), int(value["token"]))

    labels = {word: t(f"cut.card.{word}") for word in ("hint", "id", "bytes", "whole", "part", "stray", "mark")}
    labels["text"] = t("access.text")
    _cut(key=key, data=shown | {"dark": dark, "labels": labels}, on_open_change=component.report(key, "open", told))


def draw_compared(shown: dict[str, Any], dark: bool, key: str = "cuts") -> None:
    """The rows that `compared` made."""
    _cuts(key=key, data=shown | {"dark": dark})
