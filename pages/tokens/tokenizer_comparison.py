"""One text in several tokenizers: a row of token chips for each, with its number of tokens and tokens per character."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.components.text.token_chips import chips
from pages.i18n.translator import Translator
from pages.tokens.token_details import counts, more_tokens

if TYPE_CHECKING:
    from engine.tokenization.tokenized_text import TokenizedText
    from engine.tokenization.vocabulary import Vocabulary

MAX_CHIPS = 160  # per row

_component = register("cut_texts", Path(__file__), "token_chips")


def data(tokenizers: Sequence[tuple[str, Vocabulary, TokenizedText]], t: Translator) -> dict[str, Any]:
    """Data of the component (`tokenizer_comparison.js`).

    tokenizers: (locale key of the name, vocabulary, the text in its tokens). In each row, `numbers` are the tokens of
    the text, then the tokens per character of each script in it.
    """
    from engine.tokenization.tokenized_text import SCRIPTS

    scripts = [script for script in SCRIPTS if tokenizers and tokenizers[0][2].per_character(script)[0]]
    rows = []
    for name, vocabulary, tokenized in tokenizers:
        total = counts(tokenized)["tokens"]
        left_out = len(tokenized.token_ids) - MAX_CHIPS
        per_script = [tokenized.per_character(script) for script in scripts]
        rows.append(
            {
                "name": t(f"cut.tokenizer.{name}"),
                "note": t(f"cut.tokenizer.{name}_note", size=f"{vocabulary.size:,}"),
                "groups": chips(vocabulary, tokenized.token_ids[:MAX_CHIPS]),
                "more": more_tokens(left_out, t),
                "numbers": [f"{total:,}", *(t.number(tokens / characters, 2) for characters, tokens in per_script)],
            }
        )
    return {"columns": [t("cut.count.tokens"), *(t(f"cut.each.{script}") for script in scripts)], "rows": rows}


def draw(payload: dict[str, Any], key: str = "cuts") -> None:
    """Draw the result of `data`."""
    _component(key=key, data=payload)
