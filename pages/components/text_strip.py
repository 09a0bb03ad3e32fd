"""Text strip: the text as token chips, with its branches, shown at the top of the pages that follow a text.

The component (`text_strip.js`) draws the stages of the generation loop, the chips, the branches and the formula of the
next token. It reports a click on a token (`go`: {turn, node}) or on an alternative in a token's card (`pick`: {turn,
after, token}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

PARTS = ("token_line", "token_tree", "text_formula", "text_strip_card")  # shared parts, see `register.sources`
_strip = register("text_strip", Path(__file__), *PARTS)


def labels(t: Translator) -> dict[str, Any]:
    """Labels of the component."""
    names = (
        "tree", "branch", "chain", "lowest", "first", "rank", "log_p", "log_p_help", "perplexity", "perplexity_help",
        "choices", "choices_help", "legend",
    )  # fmt: skip
    access = {"text": t("access.text"), "alternatives": t("access.alternatives")}
    return {"loop": t.list("strip.loop")} | access | {name: t(f"strip.{name}") for name in names}


def has_branches(data: dict[str, Any]) -> bool:
    """Whether some choice has two or more children."""
    parents = [node[0] for node in data["nodes"]]
    return len(set(parents)) < len(parents)


def draw(
    data: dict[str, Any],
    on_go: Callable[[Any], None],
    on_pick: Callable[[Any], None],
    key: str = "strip",
) -> None:
    """The strip. `data` is that of `TextAnnotator.annotate` with these keys added:

    turn     see `TextState.turn`
    stage    the highlighted stage of the loop, 0 to 4; None leaves the stages out
    status   sentence below the text, such as why a run ended
    choices  exp(entropy) of the next-token distribution, the effective number of candidates, as a text
    labels   see `labels`
    show     optional: "formula" or "tree" draws that part alone; the keys above that it lacks are not needed
    """
    _strip(
        key=key,
        data=data,
        on_go_change=event_callback(key, "go", on_go),
        on_pick_change=event_callback(key, "pick", on_pick),
    )
