"""The text as a CSV table, a row for each token, for the pages that show the text."""

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
    """Every token of the way that is shown, with how probable it was where it stands.

    `probability` is after the filters of the settings now, entropy that of what the model believed, both in the
    distribution that the token was one of; what stands first was never predicted.
    """
    header = column_names(
        "position token_id text bytes how log_probability rank raw probability entropy after_cursor", t
    )
    line = trace.line()
    ids = tuple(trace.choices[i].token_id for i in line)
    labels, score = model.pieces(ids), model.score(ids)
    settings = trace.settings.for_greedy() if trace.strategy == "greedy" else trace.settings
    at_cursor = line.index(trace.cursor)
    rows: list[list[Cell]] = []
    for at, token_id in enumerate(ids):
        numbers: list[Cell] = [None] * 5
        log_probability = score.log_probabilities[at]
        if log_probability is not None:
            before = model.distribution(ids[:at], settings)
            found = before.candidate(token_id)
            numbers = [log_probability, found.rank, found.raw, found.probability, before.entropy]
        how = trace.choices[line[at]].how
        rows.append([at + 1, token_id, labels[at], token_hex(model, token_id), how, *numbers, at > at_cursor])
    return to_csv(header, rows)


def text_file(session: TextState, model: Model, t: Translator) -> File:
    """The whole text as a file to download."""
    return File("text", "text.csv", lambda: whole_text(model, session.ready(model), t))
