"""Logit lens lists with probability bars: rank of one token in each layer, or the top tokens of one layer.

The numbers come from `engine.interpret.logit_lens`; the component (`token_ranks.js`) draws them. A row is [name,
probability, its text, note or "", whether it is highlighted].
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.interpret.logit_lens import LogitLens
    from engine.model.model import Model

_component = register("ranked", Path(__file__))


def ranks_by_layer(lens: LogitLens, position: int, token_id: int, t: Translator) -> dict[str, Any]:
    """Probability and rank of a token in each layer, the last layer on top; layers of rank 1 are highlighted."""
    ranks, values = lens.ranks(position, token_id), lens.probabilities(position, token_id)
    rows = [
        [layer_name(layer, t), values[layer], t.percent(values[layer]), f"{ranks[layer]:,}", ranks[layer] == 1]
        for layer in reversed(range(len(ranks)))
    ]
    return {"columns": [t("inside.lens.where"), t("inside.lens.p"), t("inside.lens.rank")], "rows": rows}


def top_tokens(lens: LogitLens, model: Model, cell: tuple[int, int], t: Translator) -> dict[str, Any]:
    """The ten most probable tokens of a (layer, position), descending; the one that follows there is highlighted."""
    layer, position = cell
    pending = model.vocabulary.pending(lens.ids[: position + 1])
    following = lens.ids[position + 1] if position + 1 < len(lens.ids) else None
    rows = [
        [model.vocabulary.label(token_id, pending), p, t.percent(p), "", token_id == following]
        for token_id, p in lens.top(layer, position, 10)
    ]
    return {"columns": [t("inside.lens.token"), t("inside.lens.p"), ""], "rows": rows}


def layer_name(layer: int, t: Translator) -> str:
    """Name of a layer; 0 is the embedding."""
    return t("inside.lens.layer", n=layer) if layer else t("inside.lens.embedding")


def draw(payload: dict[str, Any], name: str, key: str) -> None:
    """Draw a list with its caption `name`."""
    _component(key=key, data=payload | {"name": name})
