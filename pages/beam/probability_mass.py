"""The same search by probability: blocks as wide as a text is probable, and the unexplored rest drawn as such.

Probabilities here are what the model believes, before any penalty, so what hangs below a block adds up to the block.
Drawn with Plotly's icicle, which opens a block on a click and closes it again.
"""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.beam.state import BeamState
from pages.components import data_table, theme
from pages.components.theme import palette
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch

THINNEST = 0.001  # of all there is: a block thinner than this cannot be seen, nor can what hangs below it


def believed(search: BeamSearch, levels: int) -> dict[int, float]:
    """Log-probability after the prompt of every node of the first levels, by what the model believes (nats)."""
    sums = {0: 0.0}
    for level in search.levels[:levels]:
        of_parent: dict[int, Any] = {}
        for index in level.candidates:
            node = search.nodes[index]
            if node.parent not in of_parent:
                of_parent[node.parent] = search.model.records(search.token_ids(node.parent))[-1]
            sums[index] = sums[node.parent] + of_parent[node.parent].log_probability(node.token_id)
    return sums


def shares(beaming: BeamState) -> tuple[float, float, int]:
    """Of everything that could follow the prompt: what the beams on show hold (live and finished), what was looked at
    and given up, and how many tokens deep. The rest was never looked at."""
    search = beaming.search
    assert search is not None
    if not beaming.shown:
        return 1.0, 0.0, 0
    sums = believed(search, beaming.shown)
    level = search.levels[beaming.shown - 1]
    held = {*level.active, *level.finished}
    inner = {search.nodes[index].parent for index in sums if index}
    leaves = [index for index in sums if index not in inner]
    kept = math.fsum(math.exp(sums[index]) for index in held)
    given_up = math.fsum(math.exp(sums[index]) for index in leaves if index not in held)
    return kept, given_up, beaming.shown


def blocks(beaming: BeamState, t: Translator) -> list[dict[str, Any]]:
    """One block a node that can be seen, and below each that was extended one for what was not looked at there: id,
    parent, label, value, told, kind (`root`, `held`, `given_up`, `rest`). A block with others below has the value 0:
    theirs add up to it."""
    search = beaming.search
    assert search is not None
    sums = believed(search, beaming.shown)
    level = search.levels[beaming.shown - 1] if beaming.shown else None
    held = {0}
    for end in (*level.active, *level.finished) if level else ():
        held.update(search.path(end))
    children: dict[int, list[int]] = {}
    for index in sums:
        if index:
            children.setdefault(search.nodes[index].parent, []).append(index)
    made: list[dict[str, Any]] = []
    for index, total in sums.items():
        p = math.exp(total)
        if p < THINNEST:
            continue
        node = search.nodes[index]
        made.append(
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
            seen = [i for i in children[index] if math.exp(sums[i]) >= THINNEST]
            rest = max(0.0, p - math.fsum(math.exp(sums[i]) for i in seen))
            told = t("beam.mass.rest_told", p=t.percent(rest))
            rest_block = {"label": t("beam.mass.rest"), "value": rest, "told": told, "kind": "rest"}
            made.append({"id": f"{index} rest", "parent": str(index)} | rest_block)
    return made


def figure(made: list[dict[str, Any]], dark: bool) -> dict[str, Any]:
    """The Plotly figure. Plotly reads labels as a kind of HTML, so they are escaped."""
    colors = palette(dark)
    fill = {"root": colors.line, "held": colors.draw, "given_up": colors.belief, "rest": colors.paper}
    ink = dict.fromkeys(fill, colors.ink) | {"held": colors.paper, "rest": colors.soft}
    shapes = {"rest": "/"}
    trace = {
        "type": "icicle",
        "ids": [block["id"] for block in made],
        "parents": [block["parent"] for block in made],
        "labels": [_label(block) for block in made],
        "values": [block["value"] for block in made],
        "customdata": [html.escape(block["told"]) for block in made],
        "hovertemplate": "%{label}<br>%{customdata}<extra></extra>",
        "branchvalues": "remainder",
        "sort": False,
        "tiling": {"orientation": "v"},
        "pathbar": {"visible": False},
        "textfont": {"family": theme.MONOSPACE, "size": 14, "color": [ink[block["kind"]] for block in made]},
        "marker": {
            "colors": [fill[block["kind"]] for block in made],
            "line": {"color": colors.paper, "width": 1.5},
            "pattern": {
                "shape": [shapes.get(block["kind"], "") for block in made],
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


def _label(block: dict[str, Any]) -> str:
    """What is still held is told by more than its colour."""
    label = html.escape(block["label"])
    return f"<b>{label}</b>" if block["kind"] == "held" else label


def draw(beaming: BeamState, t: Translator) -> None:
    kept, given_up, levels = shares(beaming)
    st.markdown(
        t("beam.mass.sentence", levels=levels, kept=t.percent(kept), given_up=t.percent(given_up),
          rest=t.percent(max(0.0, 1 - kept - given_up)))
    )  # fmt: skip
    made = blocks(beaming, t)
    st.plotly_chart(
        figure(made, theme.is_dark()), theme=None, width="stretch", key=f"beam_mass {theme.is_dark()}",
        config={"displayModeBar": False},
    )  # fmt: skip
    st.caption(t("beam.mass.legend"))
    data_table.draw(t("access.table.mass"), t.list("access.columns.mass"), tabled(made, t), "beam_mass_table")


def tabled(made: list[dict[str, Any]], t: Translator) -> list[list[str | None]]:
    """The blocks again, for those who read them: the text after the prompt, its share, what became of it."""
    texts: dict[str, str] = {}
    rows: list[list[str | None]] = []
    for block in made:
        before = texts.get(block["parent"], "")
        texts[block["id"]] = f"{before} {block['label']}".strip() if block["parent"] else ""
        rest = block["kind"] == "rest"
        text = (f"{before} …" if rest else texts[block["id"]]) or block["label"]
        rows.append([None, text.strip(), block["told"], t(f"access.mass.{block['kind']}")])
    return rows
