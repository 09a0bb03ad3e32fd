"""Icicle chart of a beam search: each block is as wide as its text is probable, with a block for the unexplored rest.

Probabilities are the model's raw ones, before any penalty, so the children of a block add up to the block. Drawn with
Plotly's icicle trace, which zooms into a block on a click and out again.
"""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.beam.state import BeamState
from pages.components import theme
from pages.components.tables import data_table
from pages.components.theme import palette
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch

MIN_PROBABILITY = 0.001  # a block of less is too thin to be seen, as are its descendants


def raw_log_probabilities(search: BeamSearch, levels: int) -> dict[int, float]:
    """Raw log-probability (nats) of the text after the prompt, for every node of the first levels; 0 for the prompt."""
    sums = {0: 0.0}
    for level in search.levels[:levels]:
        outputs: dict[int, Any] = {}  # TokenOutput of each parent
        for index in level.candidates:
            node = search.nodes[index]
            if node.parent not in outputs:
                outputs[node.parent] = search.model.records(search.token_ids(node.parent))[-1]
            sums[index] = sums[node.parent] + outputs[node.parent].log_probability(node.token_id)
    return sums


def coverage(state: BeamState) -> tuple[float, float, int]:
    """Probability of the active and finished beams, probability of the texts that were dropped, and number of levels.

    All after the prompt and for the levels shown. The rest up to 1 belongs to texts that the search never considered.
    """
    search = state.search
    assert search is not None
    if not state.shown_levels:
        return 1.0, 0.0, 0
    sums = raw_log_probabilities(search, state.shown_levels)
    level = search.levels[state.shown_levels - 1]
    held = {*level.active, *level.finished}
    inner = {search.nodes[index].parent for index in sums if index}
    leaves = [index for index in sums if index not in inner]
    held_mass = math.fsum(math.exp(sums[index]) for index in held)
    dropped_mass = math.fsum(math.exp(sums[index]) for index in leaves if index not in held)
    return held_mass, dropped_mass, state.shown_levels


def blocks(state: BeamState, t: Translator) -> list[dict[str, Any]]:
    """Blocks of the chart: one for each node of at least MIN_PROBABILITY, and one for the rest below each inner node.

    Keys: id, parent, label, value, told (tooltip), kind: `root`, `held` (of an active or finished beam), `given_up`,
    `rest`. The value of an inner block is 0, because Plotly adds the values of its children to it.
    """
    search = state.search
    assert search is not None
    sums = raw_log_probabilities(search, state.shown_levels)
    held = _held_nodes(search, state.shown_levels)
    children: dict[int, list[int]] = {}
    for index in sums:
        if index:
            children.setdefault(search.nodes[index].parent, []).append(index)
    result: list[dict[str, Any]] = []
    for index, total in sums.items():
        p = math.exp(total)
        if p < MIN_PROBABILITY:
            continue
        node = search.nodes[index]
        result.append(
            {
                "id": str(index),
                "parent": str(node.parent) if index else "",
                "label": search.model.pieces(search.token_ids(index))[-1] if index else t("beam.mass.prompt"),
                "value": 0.0 if index in children else p,
                "told": t("beam.mass.told", p=t.percent(p)),
                "kind": "root" if not index else "held" if index in held else "given_up",
            }
        )
        if index in children:
            visible = [i for i in children[index] if math.exp(sums[i]) >= MIN_PROBABILITY]
            rest = max(0.0, p - math.fsum(math.exp(sums[i]) for i in visible))
            tooltip = t("beam.mass.rest_told", p=t.percent(rest))
            rest_block = {"label": t("beam.mass.rest"), "value": rest, "told": tooltip, "kind": "rest"}
            result.append({"id": f"{index} rest", "parent": str(index)} | rest_block)
    return result


def _held_nodes(search: BeamSearch, levels: int) -> set[int]:
    """All nodes of the beams that are active or finished after the first `levels` levels, and the prompt's."""
    level = search.levels[levels - 1] if levels else None
    held = {0}
    for end in (*level.active, *level.finished) if level else ():
        held.update(search.path(end))
    return held


def figure(blocks: list[dict[str, Any]], dark: bool, font: str = theme.MONOSPACE) -> dict[str, Any]:
    """Plotly figure of the blocks. Labels are escaped, because Plotly interprets some HTML in them."""
    colors = palette(dark)
    fill = {"root": colors.line, "held": colors.draw, "given_up": colors.belief, "rest": colors.paper}
    ink = dict.fromkeys(fill, colors.ink) | {"held": colors.paper, "rest": colors.soft}
    shapes = {"rest": "/"}
    trace = {
        "type": "icicle",
        "ids": [block["id"] for block in blocks],
        "parents": [block["parent"] for block in blocks],
        "labels": [_html_label(block) for block in blocks],
        "values": [block["value"] for block in blocks],
        "customdata": [html.escape(block["told"]) for block in blocks],
        "hovertemplate": "%{label}<br>%{customdata}<extra></extra>",
        "branchvalues": "remainder",
        "sort": False,
        "tiling": {"orientation": "v"},
        "pathbar": {"visible": False},
        "textfont": {"family": font, "size": 14, "color": [ink[block["kind"]] for block in blocks]},
        "marker": {
            "colors": [fill[block["kind"]] for block in blocks],
            "line": {"color": colors.paper, "width": 1.5},
            "pattern": {
                "shape": [shapes.get(block["kind"], "") for block in blocks],
                "fgcolor": colors.cut,
                "size": 6,
                "solidity": 0.18,
            },
        },
    }
    layout = {
        "margin": {"l": 0, "r": 0, "t": 4, "b": 0},
        "height": 380,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"bgcolor": colors.paper, "font": {"color": colors.ink, "size": 14}, "bordercolor": colors.line},
        "uniformtext": {"minsize": 11, "mode": "hide"},
    }
    return {"data": [trace], "layout": layout}


def _html_label(block: dict[str, Any]) -> str:
    """Escaped label, bold for active and finished beams, so that colour is not the only sign of them."""
    label = html.escape(block["label"])
    return f"<b>{label}</b>" if block["kind"] == "held" else label


def draw(state: BeamState, t: Translator) -> None:
    """Draw the sentence about the coverage, the chart and its table."""
    held_mass, dropped_mass, levels = coverage(state)
    st.markdown(
        t("beam.mass.sentence", levels=levels, kept=t.percent(held_mass), given_up=t.percent(dropped_mass),
          rest=t.percent(max(0.0, 1 - held_mass - dropped_mass)))
    )  # fmt: skip
    chart_blocks = blocks(state, t)
    st.plotly_chart(
        figure(chart_blocks, theme.is_dark(), theme.monospace(t.language)), theme=None, width="stretch",
        key=f"beam_mass {theme.is_dark()}", config={"displayModeBar": False},
    )  # fmt: skip
    st.caption(t("beam.mass.legend"))
    data_table.draw(
        t("access.table.mass"), t.list("access.columns.mass"), table_rows(chart_blocks, t), "beam_mass_table"
    )


def table_rows(blocks: list[dict[str, Any]], t: Translator) -> list[list[str | None]]:
    """Rows of the table equivalent of the chart: None (no action), text after the prompt, probability, status."""
    texts: dict[str, str] = {}
    rows: list[list[str | None]] = []
    for block in blocks:
        parent_text = texts.get(block["parent"], "")
        texts[block["id"]] = f"{parent_text} {block['label']}".strip() if block["parent"] else ""
        rest = block["kind"] == "rest"
        text = (f"{parent_text} …" if rest else texts[block["id"]]) or block["label"]
        rows.append([None, text.strip(), block["told"], t(f"access.mass.{block['kind']}")])
    return rows
