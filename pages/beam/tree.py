"""The tree of a beam search as it is drawn: one column a level, what lives strong, what was pruned faint.

`data` makes plain data of what is on show; the component (`beam_tree.js`) draws it and reports a click on a node
(`open`: {turn, node}) or on a stub (`fold`: {turn, node}). Pruned nodes of the last level on show are always drawn,
earlier ones are folded into their parent's stub, "+3", until it is clicked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.beam.state import BeamState
from pages.beam.tree_layout import places
from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch
    from engine.decoding.beam_types import BeamNode


_tree = register("beam_tree", Path(__file__))


def data(beaming: BeamState, t: Translator) -> dict[str, Any]:
    """nodes: one a drawn node: id, parent, level, row, label, p, kind (`prompt`, `win`, `live`, `dead`, `pruned`),
    ends, told (lines of its card), stub (pruned children not drawn), folds (whether they can be folded away)."""
    search = beaming.search
    assert search is not None
    drawn, stubs = _drawn(search, beaming)
    children: dict[int, list[int]] = {}
    for node in drawn:
        if node.index:
            children.setdefault(node.parent, []).append(node.index)
    rows = places(children)
    kinds = _kinds(search, beaming)
    labels = _labels(search, drawn)
    nodes = [
        {
            "id": node.index,
            "parent": node.parent,
            "level": node.level,
            "row": round(rows[node.index], 3),
            "label": labels[node.index],
            "p": t.percent(math.exp(node.step_log_probability)) if node.index else "",
            "kind": kinds.get(node.index, "pruned" if node.status == "pruned" else "dead"),
            "ends": node.status == "finished",
            "told": _told(search, node, beaming, t),
            "stub": stubs.get(node.index, 0),
            "folds": node.index in beaming.unfolded and node.level < beaming.shown - 1,
        }
        for node in drawn
    ]
    return {"turn": beaming.turn, "nodes": nodes, "opened": beaming.at}


def _drawn(search: BeamSearch, beaming: BeamState) -> tuple[list[BeamNode], dict[int, int]]:
    """The nodes to draw, parents before children, and how many pruned children each stub stands for."""
    drawn, stubs = [search.nodes[0]], dict[int, int]()
    for number, level in enumerate(search.levels[: beaming.shown], 1):
        for index in level.candidates:
            node = search.nodes[index]
            if node.status != "pruned" or number == beaming.shown or node.parent in beaming.unfolded:
                drawn.append(node)
            else:
                stubs[node.parent] = stubs.get(node.parent, 0) + 1
    return drawn, stubs


def _kinds(search: BeamSearch, beaming: BeamState) -> dict[int, str]:
    """What still counts: the way to every beam that lives or is held, and the winner's."""
    kinds = {0: "prompt"}
    if not beaming.shown:
        return kinds
    level = search.levels[beaming.shown - 1]
    for end in (*level.active, *level.finished):
        while end not in kinds:
            kinds[end] = "live"
            end = search.nodes[end].parent
    if beaming.over:
        kinds |= dict.fromkeys(search.path(beaming.best), "win")
    return kinds


def _labels(search: BeamSearch, drawn: list[BeamNode]) -> dict[int, str]:
    """What is read on each node; a part of a character is read together with the tokens before it."""
    vocabulary = search.model.vocabulary
    labels = {0: search.model.pieces(search.ids)[-1]}
    pending: dict[int, tuple[int, ...]] = {}
    for node in drawn[1:]:
        if node.parent not in pending:
            pending[node.parent] = vocabulary.pending(search.token_ids(node.parent))
        labels[node.index] = vocabulary.label(node.token_id, pending[node.parent])
    return labels


def _told(search: BeamSearch, node: BeamNode, beaming: BeamState, t: Translator) -> list[str]:
    if not node.index:
        return [t("beam.told.root")]
    return [
        t("beam.told.step", p=t.percent(math.exp(node.step_log_probability))),
        t("beam.told.sum", value=t.number(node.log_probability, 2)),
        t("beam.told.score", value=t.number(node.score, 2)),
        status_sentence(search, node, beaming.held, t),
    ]


def status_sentence(search: BeamSearch, node: BeamNode, held: tuple[int, ...], t: Translator) -> str:
    """What became of a node, and why, in a sentence. `held`: the finished beams on show, best first."""
    width = search.settings.width
    if node.status == "kept":
        return t("beam.fate.kept", rank=node.rank, width=width)
    if node.status == "finished":
        if node.index in held:
            return t("beam.fate.held", place=held.index(node.index) + 1, width=width)
        return t("beam.fate.displaced", width=width)
    if node.ends:
        return t("beam.fate.late", rank=node.rank, width=width)
    return t("beam.fate.pruned", rank=node.rank, width=width)


def labels(t: Translator) -> dict[str, str]:
    """The words that the tree needs."""
    words = ("larger", "smaller", "fit", "more", "fold", "level", "legend")
    return {"name": t("access.tree")} | {word: t(f"beam.tree.{word}") for word in words}


def draw(
    shown: dict[str, Any],
    t: Translator,
    on_open: Callable[[int, int], None],
    on_fold: Callable[[int, int], None],
    key: str = "beam_tree",
) -> None:
    """`shown` is what `data` made; both callbacks are told the turn and the node."""
    _tree(
        key=key,
        data=shown | {"labels": labels(t)},
        on_open_change=event_callback(key, "open", lambda value: on_open(value["turn"], value["node"])),
        on_fold_change=event_callback(key, "fold", lambda value: on_fold(value["turn"], value["node"])),
    )
