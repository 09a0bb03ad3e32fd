"""Downloads of the step page: candidates and text as CSV, and its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell.share.downloads import Exports, File
from pages.shell.share.spreadsheet import Cell, column_names, to_csv, token_hex
from pages.shell.share.text_csv import text_file

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.sampling.distribution import Distribution

PICTURES = ("bars", "strip", "sums", "tree")
MAX_ROWS = 50_000  # candidates; a larger vocabulary's unlikely rest is one row


def candidates(model: Model, distribution: Distribution, t: Translator) -> bytes:
    """Every token that could come next, likeliest first."""
    header = column_names("rank token_id text bytes logit scaled raw probability kept cut_by", t)
    top = distribution.top(MAX_ROWS)
    rows: list[list[Cell]] = [
        [c.rank, c.token_id, c.text, token_hex(model, c.token_id), c.logit, c.scaled, c.raw, c.probability, c.kept,
         c.cut_by]
        for c in top
    ]  # fmt: skip
    if len(top) < distribution.size:
        raw, drawn = distribution.others([c.token_id for c in top])
        rest = t("bars.others", count=f"{distribution.size - len(top):,}")
        rows.append([None, None, rest, None, None, None, raw, drawn, None, None])
    return to_csv(header, rows)


def exports(session: TextState, t: Translator) -> Exports:
    """Files and pictures of this page."""

    def files(model: Model) -> list[File]:
        def table() -> bytes:
            return candidates(model, session.choice(model)[0], t)

        return [File("candidates", "candidates.csv", table), text_file(session, model, t)]

    return Exports(PICTURES, files)
