"""Downloads of the compare page: all texts with their measures as CSV, and its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.decoding.text_metrics import Measures, measure
from pages.compare.state import CompareState
from pages.i18n.translator import Translator
from pages.shell.share.downloads import Exports, File
from pages.shell.share.spreadsheet import Cell, column_names, joined_ids, to_csv

if TYPE_CHECKING:
    from engine.model.model import Model

PICTURES = ("scatter picture", "texts", "counts flat picture", "counts peaked picture")
_MEASURES = "log_probability per_token perplexity distinct_1 distinct_2 repetition"


def compared(comparison: CompareState, model: Model, t: Translator) -> bytes:
    """One row a text of each strategy, then one for all its seeds together, `seed` and `text` empty."""
    header = column_names(f"strategy parameter seed stop tokens {_MEASURES} tokens_per_second passes text token_ids", t)
    rows: list[list[Cell]] = []
    seeds = len(comparison.answered.seeds) if comparison.answered else 1
    for entry in comparison.entries:
        value = entry.value if entry.strategy.parameter else None
        for text in entry.together.texts:
            found = measure((text.token_ids, text.log_probabilities))
            rows.append(
                [entry.strategy.name, value, text.seed, text.stop, len(text.token_ids), *_numbers(found), None, None,
                 model.text(text.token_ids), joined_ids(text.token_ids)]
            )  # fmt: skip
        cost = entry.together.cost
        everything: list[Cell] = [cost.tokens, *_numbers(entry.measures(seeds)), cost.tokens_per_second, cost.passes]
        rows.append([entry.strategy.name, value, None, None, *everything, None, None])
    return to_csv(header, rows)


def _numbers(found: Measures) -> list[Cell]:
    return [getattr(found, name) for name in _MEASURES.split()]


def exports(state: CompareState, t: Translator) -> Exports:
    """Files and pictures of this page."""

    def files(model: Model) -> list[File]:
        return [File("compared", "compared.csv", lambda: compared(state, model, t))] if state.entries else []

    return Exports(PICTURES, files)
