"""The text as a CSV table with a row for each token, for the pages that show the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell.share.downloads import File
from pages.shell.share.spreadsheet import Cell, column_names, to_csv, token_hex

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.trace.trace import Trace


def whole_text(model: Model, trace: Trace, t: Translator) -> bytes:
    """CSV table of the tokens of the current line.

    `raw` and `entropy` belong to the model's distribution at the token's position, `probability` is the token's after
    the filters of the current settings. The first token was not predicted, so its numbers are empty.
    """
    header = column_names(
        "position token_id text bytes how log_probability rank raw probability entropy after_cursor", t
    )
    line = trace.line()
    ids = tuple(trace.choices[i].token_id for i in line)
    labels, score = model.pieces(ids), model.score(ids)
    settings = trace.settings.for_greedy() if trace.strategy == "greedy" else trace.settings
    cursor_position = line.index(trace.cursor)
    rows: list[list[Cell]] = []
    for i, token_id in enumerate(ids):
        numbers: list[Cell] = [None] * 5
        log_probability = score.log_probabilities[i]
        if log_probability is not None:
            distribution = model.distribution(ids[:i], settings)
            candidate = distribution.candidate(token_id)
            numbers = [log_probability, candidate.rank, candidate.raw, candidate.probability, distribution.entropy]
        origin = trace.choices[line[i]].how
        rows.append([i + 1, token_id, labels[i], token_hex(model, token_id), origin, *numbers, i > cursor_position])
    return to_csv(header, rows)


def text_file(session: TextState, model: Model, t: Translator) -> File:
    """The whole text as a file to download."""
    return File("text", "text.csv", lambda: whole_text(model, session.ready(model), t))
