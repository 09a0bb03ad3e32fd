"""A short list of probabilities as a table with bars: the layers a token climbed through, or the likeliest tokens.

Plain data from `engine.lens`; the component (`ranked.js`) draws it. rows: [name, probability, as it is read, a note or
"", whether it is marked].
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.interpret.logit_lens import LogitLens
    from engine.model.model import Model

_list = register("ranked", Path(__file__))


def through_layers(found: LogitLens, position: int, token_id: int, t: Translator) -> dict[str, Any]:
    """One row a layer, the last on top: probability and rank of a token there; marked where it is the likeliest."""
    ranks, values = found.ranks(position, token_id), found.probabilities(position, token_id)
    rows = [
        [layer_name(layer, t), values[layer], t.percent(values[layer]), f"{ranks[layer]:,}", ranks[layer] == 1]
        for layer in reversed(range(len(ranks)))
    ]
    return {"columns": [t("inside.lens.where"), t("inside.lens.p"), t("inside.lens.rank")], "rows": rows}


def likeliest(found: LogitLens, model: Model, cell: tuple[int, int], t: Translator) -> dict[str, Any]:
    """The ten likeliest tokens of one layer at one position, likeliest first; marked is the one that follows there."""
    layer, position = cell
    pending = model.vocabulary.pending(found.ids[: position + 1])
    follows = found.ids[position + 1] if position + 1 < len(found.ids) else None
    rows = [
        [model.vocabulary.label(token_id, pending), p, t.percent(p), "", token_id == follows]
        for token_id, p in found.top(layer, position, 10)
    ]
    return {"columns": [t("inside.lens.token"), t("inside.lens.p"), ""], "rows": rows}


def layer_name(layer: int, t: Translator) -> str:
    return t("inside.lens.layer", n=layer) if layer else t("inside.lens.embedding")


def draw(shown: dict[str, Any], name: str, key: str) -> None:
    """`name` says what the list is, to those who hear the page."""
    _list(key=key, data=shown | {"name": name})
