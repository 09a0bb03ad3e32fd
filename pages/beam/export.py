"""Downloads of the beam page: nodes and finished beams as CSV, and its pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pages.beam.state import BeamState
from pages.i18n.translator import Translator
from pages.shell.share.downloads import Exports, File
from pages.shell.share.spreadsheet import Cell, column_names, joined_ids, to_csv, token_hex

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch
    from engine.model.model import Model

PICTURES = ("beam_tree", "beam_mass {dark}", "beam_strip", "beam_bars", "beam_table")


def beam_nodes(search: BeamSearch, shown: int, t: Translator) -> bytes:
    """Every node of the levels on show, the prompt's first."""
    names = "node parent level token_id text bytes step_log_probability log_probability score rank fate ends so_far"
    model = search.model
    rows: list[list[Cell]] = []
    for node in search.nodes:
        if node.level <= shown:
            ids = search.token_ids(node.index)
            rows.append(
                [node.index, node.parent, node.level, node.token_id, model.pieces(ids)[-1],
                 token_hex(model, node.token_id),
                 node.step_log_probability, node.log_probability, node.score, node.rank,
                 node.status, node.ends, model.text(ids[len(search.ids) :])]
            )  # fmt: skip
    return to_csv(column_names(names, t), rows)


def finished_beams(search: BeamSearch, t: Translator) -> bytes:
    """The finished beams, best first."""
    names = "place score log_probability perplexity tokens text token_ids"
    rows: list[list[Cell]] = []
    for place, found in enumerate(search.sequences, 1):
        new = found.token_ids[len(search.ids) :]
        perplexity = math.exp(-found.log_probability / len(new))
        text = search.model.text(new)
        rows.append([place, found.score, found.log_probability, perplexity, len(new), text, joined_ids(new)])
    return to_csv(column_names(names, t), rows)


def exports(state: BeamState, t: Translator) -> Exports:
    """Files and pictures of this page."""

    def files(model: Model) -> list[File]:
        search, shown = state.search, state.shown
        if search is None:
            return []
        result = [File("nodes", "beam-nodes.csv", lambda: beam_nodes(search, shown, t))]
        if state.over and search.sequences:
            result.append(File("beams", "beams.csv", lambda: finished_beams(search, t)))
        return result

    return Exports(PICTURES, files)
