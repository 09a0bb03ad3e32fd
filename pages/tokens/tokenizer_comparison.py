"""One text in several tokenizers: a row of token chips for each, with its number of tokens and tokens per character."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.bundled import BUNDLED_NAME
from pages.components.register import register
from pages.components.text.token_chips import chips
from pages.i18n.translator import Translator
from pages.tokens.token_details import counts, more_tokens

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.tokenized_text import TokenizedText
    from engine.tokenization.vocabulary import Vocabulary

MAX_CHIPS = 160  # per row

_component = register("cut_texts", Path(__file__), "token_chips")


class Tokenizer(NamedTuple):
    """A tokenizer to compare: `key` of its name in the words, and the name of its model where that has a blank."""

    key: str
    vocabulary: Vocabulary
    model: str = ""


def choice(model: Model, loaded: Sequence[Model]) -> list[Tokenizer]:
    """The tokenizers to compare: the current model's, those of other loaded models, and three without a model.

    Models on servers are left out: each text would cost a request.
    """
    from engine.tokenization.tokenized_text import standalone_tokenizer

    found = [] if model.name == BUNDLED_NAME else [Tokenizer("own", model.vocabulary)]
    others = [each for each in loaded if each.name not in (BUNDLED_NAME, model.name) and not each.is_remote]
    found += [Tokenizer("loaded", each.vocabulary, each.name) for each in others]
    return found + [Tokenizer(name, standalone_tokenizer(name)) for name in ("bundled", "characters", "bytes")]


def data(tokenizers: Sequence[tuple[Tokenizer, TokenizedText]], t: Translator) -> dict[str, Any]:
    """Data of the component (`tokenizer_comparison.js`), for one text in the tokens of each tokenizer.

    In each row, `numbers` are the tokens of the text, then the tokens per character of each script in it.
    """
    from engine.tokenization.tokenized_text import SCRIPTS

    scripts = [script for script in SCRIPTS if tokenizers and tokenizers[0][1].per_character(script)[0]]
    rows = []
    for (name, vocabulary, model), tokenized in tokenizers:
        total = counts(tokenized)["tokens"]
        left_out = len(tokenized.token_ids) - MAX_CHIPS
        per_script = [tokenized.per_character(script) for script in scripts]
        rows.append(
            {
                "name": t(f"cut.tokenizer.{name}", model=model),
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
