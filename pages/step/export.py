"""Downloads of the step page: candidates and text as CSV files, the page's pictures, and one of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.components import theme
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import address, local_network
from pages.shell.share.downloads import Exports, File
from pages.shell.share.spreadsheet import Cell, column_names, to_csv, token_hex
from pages.shell.share.text_csv import text_file
from pages.step import slide

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.sampling.distribution import Distribution

PICTURES = ("stage", "formula", "sums", "tree")
MAX_ROWS = 50_000  # the candidates of a larger vocabulary beyond this rank are summed up in one row


def candidates_csv(model: Model, distribution: Distribution, t: Translator) -> bytes:
    """CSV file of all candidates for the next token, most probable first."""
    header = column_names("rank token_id text bytes logit scaled raw probability kept cut_by", t)
    top = distribution.top(MAX_ROWS)
    rows: list[list[Cell]] = [
        [c.rank, c.token_id, c.text, token_hex(model, c.token_id), c.logit, c.scaled, c.raw, c.probability, c.kept,
         c.cut_by]
        for c in top
    ]  # fmt: skip
    if len(top) < distribution.size:
        raw, filtered = distribution.others([c.token_id for c in top])
        rest = t("bars.others", count=f"{distribution.size - len(top):,}")
        rows.append([None, None, rest, None, None, None, raw, filtered, None, None])
    return to_csv(header, rows)


def exports(session: TextState, t: Translator) -> Exports:
    """Files and pictures that can be downloaded from the step page."""

    def files(model: Model) -> list[File]:
        def candidates() -> bytes:
            return candidates_csv(model, session.choice(model)[0], t)

        return [File("candidates", "candidates.csv", candidates), text_file(session, model, t)]

    def picture(model: Model) -> str:
        return slide.svg(session, model, t, theme.is_dark(), local_network.reachable(address.page_address()))

    return Exports(PICTURES, files, picture)
