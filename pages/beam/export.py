"""Downloads of the beam page: nodes and finished beams as CSV files, and the page's pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.perplexity import perplexity
from pages.beam.state import BeamState
from pages.i18n.translator import Translator
from pages.shell.share.downloads import Exports, File
from pages.shell.share.spreadsheet import Cell, column_names, joined_ids, to_csv, token_hex

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch
    from engine.model.model import Model

PICTURES = ("beam_tree", "beam_mass {dark}", "beam_strip", "beam_bars", "beam_table")


def nodes_csv(search: BeamSearch, levels: int, t: Translator) -> bytes:
    """CSV file of all nodes of the first `levels` levels, beginning with the prompt's."""
    names = "node parent level token_id text bytes step_log_probability log_probability score rank fate ends so_far"
    model = search.model
    rows: list[list[Cell]] = []
    for node in search.nodes:
        if node.level <= levels:
            ids = search.token_ids(node.index)
            rows.append(
                [node.index, node.parent, node.level, node.token_id, model.pieces(ids)[-1],
                 token_hex(model, node.token_id),
                 node.step_log_probability, node.log_probability, node.score, node.rank,
                 node.status, node.ends, model.continuation(search.ids, ids[len(search.ids) :])]
            )  # fmt: skip
    return to_csv(column_names(names, t), rows)


def beams_csv(search: BeamSearch, t: Translator) -> bytes:
    """CSV file of the finished beams, best first."""
    names = "place score log_probability perplexity tokens text token_ids"
    rows: list[list[Cell]] = []
    for rank, beam in enumerate(search.sequences, 1):
        new = beam.token_ids[len(search.ids) :]
        mean_loss = -beam.log_probability / len(new)
        text = search.model.continuation(search.ids, new)
        rows.append([rank, beam.score, beam.log_probability, perplexity(mean_loss), len(new), text, joined_ids(new)])
    return to_csv(column_names(names, t), rows)


def exports(state: BeamState, t: Translator) -> Exports:
    """Files and pictures that can be downloaded from the beam page."""

    def files(model: Model) -> list[File]:
        search, levels = state.search, state.shown_levels
        if search is None:
            return []
        result = [File("nodes", "beam-nodes.csv", lambda: nodes_csv(search, levels, t))]
        if state.done and search.sequences:
            result.append(File("beams", "beams.csv", lambda: beams_csv(search, t)))
        return result

    return Exports(PICTURES, files)
