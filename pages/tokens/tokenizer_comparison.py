"""TODO"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.tokenization.tokenized_text import TokenizedText
    from engine.tokenization.vocabulary import Vocabulary
from pages.components.token_chips import chips
from pages.tokens.token_details import counts

MOST_COMPARED = 160


_cuts = register("cut_texts", Path(__file__), "token_chips")


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


def draw_compared(shown: dict[str, Any], key: str = "cuts") -> None:
    """The rows that `compared` made."""
    _cuts(key=key, data=shown)
