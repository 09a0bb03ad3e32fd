"""The text strip: the same thread at the same place on every page that follows a text.

It draws the loop's stages, the text as chips, the tree of branches and the formula (`strip.js`), and reports a click
on a token (`go`: {turn, node}) or on an alternative in a token's card (`pick`: {turn, after, token}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

_strip = register("text_strip", Path(__file__), "text_strip_card")


def labels(t: Translator) -> dict[str, Any]:
    """The words that the strip needs."""
    words = (
        "tree", "branch", "chain", "lowest", "first", "rank", "log_p", "log_p_help", "perplexity", "perplexity_help",
        "choices", "choices_help", "legend",
    )  # fmt: skip
    reached = {"text": t("access.text"), "alternatives": t("access.alternatives")}
    return {"loop": t.list("strip.loop")} | reached | {word: t(f"strip.{word}") for word in words}


def has_branches(data: dict[str, Any]) -> bool:
    """Whether there is a tree to draw: some token that two others follow."""
    parents = [node[0] for node in data["nodes"]]
    return len(set(parents)) < len(parents)


def draw(
    data: dict[str, Any],
    on_go: Callable[[Any], None],
    on_pick: Callable[[Any], None],
    key: str = "strip",
) -> None:
    """`data` is `Story.build`'s with `turn`, `stage` (0–4; None leaves the loop's stages out), `status`, `choices`,
    `labels` and `dark` added; with `tree` set, the tree alone is drawn."""

    _strip(
        key=key,
        data=data,
        on_go_change=event_callback(key, "go", on_go),
        on_pick_change=event_callback(key, "pick", on_pick),
    )
