"""Text strip: the text as token chips, with its branches, shown at the top of the pages that follow a text.

The component (`text_strip.js`) draws the chips, the branches and the formula of the next token. It reports a click on a
token (`go`: {turn, node}) or on an alternative in a token's card (`pick`: {turn, after, token}).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.sampling.distribution import Distribution

PARTS = ("token_line", "token_tree", "text_formula", "text_strip_card")  # shared parts, see `register.sources`
_strip = register("text_strip", Path(__file__), *PARTS)


def labels(t: Translator) -> dict[str, Any]:
    """Labels of the component."""
    names = (
        "tree", "branch", "chain", "lowest", "first", "rank", "log_p", "log_p_help", "perplexity", "perplexity_help",
        "choices", "choices_help",
    )  # fmt: skip
    access = {"text": t("access.text"), "alternatives": t("access.alternatives")}
    return access | {name: t(f"strip.{name}") for name in names}


def choices(distribution: Distribution, t: Translator) -> str:
    """exp(entropy) of the next-token distribution, the effective number of candidates, as a text."""
    return t.number(math.exp(distribution.entropy))


def has_branches(data: dict[str, Any]) -> bool:
    """Whether some choice has two or more children."""
    parents = [node[0] for node in data["nodes"]]
    return len(set(parents)) < len(parents)


def part(text: dict[str, Any], show: Literal["formula", "tree"]) -> dict[str, Any]:
    """What the formula or the tree needs of `TextAnnotator.annotate`: less than half, and it is sent at every click."""
    needed = {name: text[name] for name in ("nodes", "line", "cursor")} | {"show": show}
    if show == "tree":
        return needed
    return needed | {"totals": text["totals"], "facts": [fact[:1] for fact in text["facts"]]}


def draw(
    data: dict[str, Any],
    on_go: Callable[[Any], None],
    on_pick: Callable[[Any], None],
    key: str = "strip",
) -> None:
    """The strip. `data` is that of `TextAnnotator.annotate` with these keys added:

    turn     see `TextState.turn`
    status   sentence below the text, such as why a run ended
    choices  see `choices`
    labels   see `labels`
    show     optional: "formula" or "tree" draws that part alone, see `part`; it needs no status. "lines" draws the text
             alone, smaller, with a new line after each place in `breaks`
    """
    _strip(
        key=key,
        data=data,
        on_go_change=event_callback(key, "go", on_go),
        on_pick_change=event_callback(key, "pick", on_pick),
    )
