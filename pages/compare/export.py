"""Downloads of the compare page: all texts with their measures as a CSV file, and the page's pictures."""

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


def texts_csv(state: CompareState, model: Model, t: Translator) -> bytes:
    """CSV file of all texts: for each strategy one row per text, then one for all seeds without `seed` and `text`."""
    header = column_names(f"strategy parameter seed stop tokens {_MEASURES} tokens_per_second passes text token_ids", t)
    rows: list[list[Cell]] = []
    seeds = len(state.run_settings.seeds) if state.run_settings else 1
    for run in state.runs:
        value = run.value if run.strategy.parameter else None
        for text in run.generation.texts:
            measures = measure((text.token_ids, text.log_probabilities))
            rows.append(
                [run.strategy.name, value, text.seed, text.stop, len(text.token_ids), *_cells(measures), None, None,
                 model.continuation(state.prompt_ids, text.token_ids), joined_ids(text.token_ids)]
            )  # fmt: skip
        cost = run.generation.cost
        totals: list[Cell] = [cost.tokens, *_cells(run.measures(seeds)), cost.tokens_per_second, cost.passes]
        rows.append([run.strategy.name, value, None, None, *totals, None, None])
    return to_csv(header, rows)


def _cells(measures: Measures) -> list[Cell]:
    return [getattr(measures, name) for name in _MEASURES.split()]


def exports(state: CompareState, t: Translator) -> Exports:
    """Files and pictures that can be downloaded from the compare page."""

    def files(model: Model) -> list[File]:
        return [File("compared", "compared.csv", lambda: texts_csv(state, model, t))] if state.runs else []

    return Exports(PICTURES, files)
