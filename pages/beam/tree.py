"""Tree of a beam search: one column for each level, active and finished beams emphasized, pruned nodes faint.

`data` builds the data of the component; `tree.js` draws it and reports a click on a node (`open`: {turn, node}) or on a
stub (`fold`: {turn, node}). Pruned nodes of the last level shown are always drawn. Earlier ones are collapsed into a
stub beside their parent, such as "+3", until it is clicked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.beam.state import BeamState
from pages.beam.tree_layout import layout_rows
from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch
    from engine.decoding.beam_types import BeamNode


_component = register("beam_tree", Path(__file__), "difference")


def data(state: BeamState, t: Translator) -> dict[str, Any]:
    """Data of the component, without its labels.

    nodes   one dict for each node drawn: id, parent, level, row, label, p (step probability), kind, ends, told (lines
            of its card), stub (number of collapsed pruned children), folds (whether those drawn can be collapsed)
    opened  id of the node whose text is shown below the tree

    kind is `prompt`, `win` (of the winner), `live` (of an active or finished beam), `dead` (of a beam that was dropped
    at a later level) or `pruned`.
    """
    search = state.search
    assert search is not None
    drawn, stubs = _drawn_nodes(search, state)
    children: dict[int, list[int]] = {}
    for node in drawn:
        if node.index:
            children.setdefault(node.parent, []).append(node.index)
    rows = layout_rows(children)
    kinds = _kinds(search, state)
    labels = _node_labels(search, drawn)
    nodes = [
        {
            "id": node.index,
            "parent": node.parent,
            "level": node.level,
            "row": round(rows[node.index], 3),
            "label": labels[node.index],
            "p": t.percent_of_log(node.step_log_probability) if node.index else "",
            "kind": kinds.get(node.index, "pruned" if node.status == "pruned" else "dead"),
            "ends": node.status == "finished",
            "told": _card_lines(search, node, state, t),
            "stub": stubs.get(node.index, 0),
            "folds": node.index in state.expanded and node.level < state.shown_levels - 1,
        }
        for node in drawn
    ]
    return {"turn": state.turn, "nodes": nodes, "opened": state.current_node}


def _drawn_nodes(search: BeamSearch, state: BeamState) -> tuple[list[BeamNode], dict[int, int]]:
    """Nodes to draw, parents before children, and the number of collapsed children of each node that has a stub."""
    drawn, stubs = [search.nodes[0]], dict[int, int]()
    for number, level in enumerate(search.levels[: state.shown_levels], 1):
        for index in level.candidates:
            node = search.nodes[index]
            if node.status != "pruned" or number == state.shown_levels or node.parent in state.expanded:
                drawn.append(node)
            else:
                stubs[node.parent] = stubs.get(node.parent, 0) + 1
    return drawn, stubs


def _kinds(search: BeamSearch, state: BeamState) -> dict[int, str]:
    """Kind of the prompt, of the nodes of active and finished beams, and of the winner's nodes."""
    kinds = {0: "prompt"}
    if not state.shown_levels:
        return kinds
    level = search.levels[state.shown_levels - 1]
    for node in (*level.active, *level.finished):
        while node not in kinds:
            kinds[node] = "live"
            node = search.nodes[node].parent
    if state.done:
        kinds |= dict.fromkeys(search.path(state.best_node), "win")
    return kinds


def _node_labels(search: BeamSearch, drawn: list[BeamNode]) -> dict[int, str]:
    """Label of each node; part of a multi-token character is decoded together with the tokens before it."""
    vocabulary = search.model.vocabulary
    labels = {0: search.model.pieces(search.ids)[-1]}
    pending: dict[int, tuple[int, ...]] = {}
    for node in drawn[1:]:
        if node.parent not in pending:
            pending[node.parent] = vocabulary.pending(search.token_ids(node.parent))
        labels[node.index] = vocabulary.label(node.token_id, pending[node.parent])
    return labels


def _card_lines(search: BeamSearch, node: BeamNode, state: BeamState, t: Translator) -> list[str]:
    """Lines of a node's card: step probability, log-probability, score, status."""
    if not node.index:
        return [t("beam.told.root")]
    return [
        t("beam.told.step", p=t.percent_of_log(node.step_log_probability)),
        t("beam.told.sum", value=t.number(node.log_probability, 2)),
        t("beam.told.score", value=t.number(node.score, 2)),
        status_sentence(search, node, state.finished, t),
    ]


def status_sentence(search: BeamSearch, node: BeamNode, finished: tuple[int, ...], t: Translator) -> str:
    """Sentence about the status of a node and its reason. finished: as `BeamState.finished`."""
    width = search.settings.width
    if node.status == "kept":
        return t("beam.fate.kept", rank=node.rank, width=width)
    if node.status == "finished":
        if node.index in finished:
            return t("beam.fate.held", place=finished.index(node.index) + 1, width=width)
        return t("beam.fate.displaced", width=width)
    if node.ends:
        return t("beam.fate.late", rank=node.rank, width=width)
    return t("beam.fate.pruned", rank=node.rank, width=width)


def labels(t: Translator) -> dict[str, str]:
    """Texts of the component."""
    names = ("larger", "smaller", "fit", "more", "fold", "level", "legend")
    return {"name": t("access.tree")} | {name: t(f"beam.tree.{name}") for name in names}


def draw(
    payload: dict[str, Any],
    t: Translator,
    on_open: Callable[[int, int], None],
    on_fold: Callable[[int, int], None],
    key: str = "beam_tree",
) -> None:
    """Draw the component with the result of `data`. Both callbacks are called with turn and node."""
    _component(
        key=key,
        data=payload | {"labels": labels(t)},
        on_open_change=event_callback(key, "open", lambda value: on_open(value["turn"], value["node"])),
        on_fold_change=event_callback(key, "fold", lambda value: on_fold(value["turn"], value["node"])),
    )
